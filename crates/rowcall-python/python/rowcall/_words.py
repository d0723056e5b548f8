"""Names from other libraries and what to write instead. They only produce messages; none of them is accepted."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

_OF_THE_BODY = (
    "seed", "top_p", "top_k", "stop", "n", "user", "metadata", "store", "logprobs", "top_logprobs", "logit_bias", "frequency_penalty",
    "presence_penalty", "reasoning_effort", "reasoning", "thinking", "service_tier", "verbosity", "safety_settings", "tool_choice",
)  # fmt: skip
"""Fields of a request body, as providers name them."""

_SETTINGS = {
    "response_model": "the type of the values is the first argument: `Extractor(Person, model=…)`",
    "messages": "use `prompt=` for the user message and `system=` for the system message; both are templates over the row's fields",
    "client": "no client is needed: the model is a name such as `model=\"openai/gpt-6-luna\"`, with `api_key=` and `base_url=` if they "
    "are not the provider's usual ones; several extractors share an account through `rowcall.Client`",
    "validation_context": "use `context=`",
    "stream": "answers are not streamed; `as_completed` gives rows as they complete",
    "max_retries": "use `max_reasks=` for invalid answers and `retries=` for failed requests",
    "max_tokens": "use `max_output_tokens=`",
    "max_completion_tokens": "use `max_output_tokens=`",
    "max_concurrency": "use `concurrency=`",
    "max_workers": "use `concurrency=`",
    "max_parallel": "use `concurrency=`",
    "num_workers": "use `concurrency=`",
    "n_jobs": "use `concurrency=`",
    "semaphore": "no semaphore is needed: `concurrency=` limits the requests in flight, or leave it out",
    "requests_per_minute": "use `rpm=`",
    "tokens_per_minute": "use `tpm=`",
    "system_prompt": "use `system=`",
    "instructions": "use `system=`",
    "user_prompt": "use `prompt=`",
    "template": "use `prompt=`",
    "few_shot": "use `examples=`",
    "hooks": "`on_event=` is called with each event",
    "callbacks": "`on_event=` is called with each event",
    "cache_dir": "use `cache=` with a file name",
    "strict": "the provider's strict mode is used where there is one; `mode=` selects another",
    "key": "use `api_key=`",
    "token": "use `api_key=`",
    "provider": "it is part of the model's name: `model=\"openai/gpt-6-luna\"`",
    "organization": "use a header: `headers={\"OpenAI-Organization\": …}`",
    "default_headers": "use `headers=`",
    "extra_headers": "use `headers=`",
    "extra_body": "use `params=`",
    "tools": "`mode=\"tool\"` requests the schema through a tool; other tools are not supported",
    "response_format": "it is made from the type of the values; `mode=` selects how it is requested",
    "batch_size": "rows are read as capacity allows; `concurrency=` limits the requests in flight",
    "verbose": "`progress=True` shows the progress of a call, the logger `rowcall` each attempt",
    "max_cost": "use `budget=`",
    "max_budget": "use `budget=`",
}  # fmt: skip

MISSING = {
    "input": "the input is missing; it is the first argument, a file name",
    "output": "the output is missing; it is the second argument, a file name",
    "response": "the type of the values is missing; it is the first argument: `Extractor(Person, model=\"openai/gpt-6-luna\", prompt=…)`",
    "model": "the model's name is missing: `model=\"openai/gpt-6-luna\"`",
}
"""The message for each argument that was not given."""

_METHODS = {
    "chat": "`await extractor.extract(row)` asks about one row, `gather(rows)` about many",
    "completions": "`await extractor.extract(row)` asks about one row, `gather(rows)` about many",
    "messages": "`await extractor.extract(row)` asks about one row, `gather(rows)` about many",
    "responses": "`await extractor.extract(row)` asks about one row, `gather(rows)` about many",
    "create": "`await extractor.extract(row)` asks about one row, `gather(rows)` about many",
    "create_with_completion": "`as_completed(rows)` gives outcomes, which have `value`, `completion` as the provider sent it, `usage` and `model`",
    "create_partial": "answers are not streamed; `as_completed` gives rows as they complete",
    "create_iterable": "`Extractor(list[Person], …)` gives several values per row",
    "on": "`on_event=` of the extractor is called with each event",
    "aextract": "use `await extractor.extract(row)`",
    "batch": "use `gather(rows)`",
    "abatch": "use `await extractor.gather(rows)`",
    "invoke": "use `extract_sync(row)`",
    "ainvoke": "use `await extractor.extract(row)`",
}

_MODULE = {
    "from_openai": "no client is needed: `rowcall.Extractor(Person, model=\"openai/gpt-6-luna\", prompt=…)`",
    "from_anthropic": "no client is needed: `rowcall.Extractor(Person, model=\"anthropic/claude-haiku-4-5\", prompt=…)`",
    "from_provider": "no client is needed: `rowcall.Extractor(Person, model=\"openai/gpt-6-luna\", prompt=…)`",
    "patch": "no client is needed: `rowcall.Extractor(Person, model=\"openai/gpt-6-luna\", prompt=…)`",
    "Mode": "a mode is a string: `mode=\"tool\"`, `\"schema\"`, `\"json\"` or `\"prompt\"`; leave it out for the best mode that the model supports",
}  # fmt: skip


def setting(name: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown setting; a list of the known ones if there is no guess."""
    known = [each for each in known if not each.startswith("_")]
    if name in _SETTINGS:
        return _SETTINGS[name]
    if name in _OF_THE_BODY:
        return f"pass additional fields of the request body in `params={{\"{name}\": …}}`"
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"did you mean `{close[0]}=`?"
    return f"expected one of {', '.join(known)}"


def method(name: str) -> str | None:
    """What to write instead of another library's method."""
    return _METHODS.get(name)


def of_module(name: str) -> str | None:
    """What to write instead of a name in another library's module."""
    return _MODULE.get(name)


def mode(given: Any) -> str | None:
    """What to write instead of a member of Instructor's `Mode`."""
    name = getattr(given, "name", None)
    if not isinstance(name, str) or type(given).__name__ != "Mode":
        return None
    lower = name.lower()
    if "parallel" in lower:
        return "for several values per row use `Extractor(list[Person], …)` and leave `mode=` out"
    ours = next((ours for word, ours in (("schema", "schema"), ("strict", "schema"), ("json", "json"), ("tool", "tool"), ("function", "tool")) if word in lower), None)
    if ours is None:
        return "leave it out for the best mode that the model supports"
    return f"write `mode=\"{ours}\"`, or leave it out for the best mode that the model supports"
