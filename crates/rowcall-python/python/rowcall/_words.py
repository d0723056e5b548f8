"""The words that people bring from other libraries, and what to write here instead. Only messages: nothing is accepted here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

_OF_THE_BODY = (
    "seed", "top_p", "top_k", "stop", "n", "user", "metadata", "store", "logprobs", "top_logprobs", "logit_bias", "frequency_penalty",
    "presence_penalty", "reasoning_effort", "reasoning", "thinking", "service_tier", "verbosity", "safety_settings", "tool_choice",
)  # fmt: skip
"""Fields of a request's body, as providers name them."""

_SETTINGS = {
    "response_model": "the type of the values is the first argument: `Extractor(Person, model=…)`",
    "messages": "the user's part of the messages is `prompt=`, the system's is `system=`; both are templates over the row's fields",
    "client": "no client is needed: the model is a name such as `model=\"openai/gpt-6-luna\"`, with `api_key=` and `base_url=` if they "
    "are not the provider's usual ones; several extractors share an account by `rowcall.Client`",
    "validation_context": "here it is `context=`",
    "stream": "an answer comes as a whole; `as_completed` gives the rows as they are done",
    "max_retries": "here it is `max_reasks=` for invalid answers and `retries=` for requests that failed",
    "max_tokens": "here it is `max_output_tokens=`",
    "max_completion_tokens": "here it is `max_output_tokens=`",
    "max_concurrency": "here it is `concurrency=`",
    "max_workers": "here it is `concurrency=`",
    "max_parallel": "here it is `concurrency=`",
    "num_workers": "here it is `concurrency=`",
    "n_jobs": "here it is `concurrency=`",
    "semaphore": "no semaphore is needed: `concurrency=` limits the requests in flight, or leave it out",
    "requests_per_minute": "here it is `rpm=`",
    "tokens_per_minute": "here it is `tpm=`",
    "system_prompt": "here it is `system=`",
    "instructions": "here it is `system=`",
    "user_prompt": "here it is `prompt=`",
    "template": "here it is `prompt=`",
    "few_shot": "here it is `examples=`",
    "hooks": "`on_event=` is called with all that happens",
    "callbacks": "`on_event=` is called with all that happens",
    "cache_dir": "here it is `cache=`, the name of a file",
    "strict": "the provider's strict form is used wherever there is one; `mode=` asks for another",
    "key": "here it is `api_key=`",
    "token": "here it is `api_key=`",
    "provider": "it is a part of the model's name: `model=\"openai/gpt-6-luna\"`",
    "organization": "here it is a header: `headers={\"OpenAI-Organization\": …}`",
    "default_headers": "here it is `headers=`",
    "extra_headers": "here it is `headers=`",
    "extra_body": "here it is `params=`",
    "tools": "the schema is asked for by a tool with `mode=\"tool\"`; other tools cannot be given",
    "response_format": "it is made of the type of the values; `mode=` says how it is asked for",
    "batch_size": "rows are taken as there is room; `concurrency=` limits the requests in flight",
    "verbose": "`progress=True` of a call shows how far it is, the logger `rowcall` each attempt",
    "max_cost": "here it is `budget=`",
    "max_budget": "here it is `budget=`",
}  # fmt: skip

MISSING = {
    "input": "the input is missing, the first argument: a file's name",
    "output": "the output is missing, the second argument: a file's name",
    "response": "the type of the values is missing, the first argument: `Extractor(Person, model=\"openai/gpt-6-luna\", prompt=…)`",
    "model": "the model's name is missing: `model=\"openai/gpt-6-luna\"`",
}
"""What to say of an argument that was not given."""

_METHODS = {
    "chat": "`await extractor.extract(row)` asks about one row, `gather(rows)` about many",
    "completions": "`await extractor.extract(row)` asks about one row, `gather(rows)` about many",
    "messages": "`await extractor.extract(row)` asks about one row, `gather(rows)` about many",
    "responses": "`await extractor.extract(row)` asks about one row, `gather(rows)` about many",
    "create": "`await extractor.extract(row)` asks about one row, `gather(rows)` about many",
    "create_with_completion": "`as_completed(rows)` gives outcomes, which have `value`, `completion` as the provider sent it, `usage` and `model`",
    "create_partial": "an answer comes as a whole; `as_completed` gives the rows as they are done",
    "create_iterable": "`Extractor(list[Person], …)` gives several values for a row",
    "on": "`on_event=` of the extractor is called with all that happens",
    "aextract": "here it is `await extractor.extract(row)`",
    "batch": "here it is `gather(rows)`",
    "abatch": "here it is `await extractor.gather(rows)`",
    "invoke": "here it is `extract_sync(row)`",
    "ainvoke": "here it is `await extractor.extract(row)`",
}

_MODULE = {
    "from_openai": "no client is needed: `rowcall.Extractor(Person, model=\"openai/gpt-6-luna\", prompt=…)`",
    "from_anthropic": "no client is needed: `rowcall.Extractor(Person, model=\"anthropic/claude-haiku-4-5\", prompt=…)`",
    "from_provider": "no client is needed: `rowcall.Extractor(Person, model=\"openai/gpt-6-luna\", prompt=…)`",
    "patch": "no client is needed: `rowcall.Extractor(Person, model=\"openai/gpt-6-luna\", prompt=…)`",
    "Mode": "a mode is a string: `mode=\"tool\"`, `\"schema\"`, `\"json\"` or `\"prompt\"`; leave it out for the best that the model has",
}  # fmt: skip


def setting(name: str, known: Iterable[str]) -> str:
    """What to write in place of a setting that there is not; the known ones if nobody can guess."""
    known = [each for each in known if not each.startswith("_")]
    if name in _SETTINGS:
        return _SETTINGS[name]
    if name in _OF_THE_BODY:
        return f"further fields of the request's body go into `params={{\"{name}\": …}}`"
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"did you mean `{close[0]}=`?"
    return f"expected one of {', '.join(known)}"


def method(name: str) -> str | None:
    """What to write in place of a method of other libraries'."""
    return _METHODS.get(name)


def of_module(name: str) -> str | None:
    """What to write in place of what another library's module has."""
    return _MODULE.get(name)


def mode(given: Any) -> str | None:
    """What to write in place of a member of Instructor's `Mode`."""
    name = getattr(given, "name", None)
    if not isinstance(name, str) or type(given).__name__ != "Mode":
        return None
    lower = name.lower()
    if "parallel" in lower:
        return "several values for a row are `Extractor(list[Person], …)`; leave `mode=` out"
    ours = next((ours for word, ours in (("schema", "schema"), ("strict", "schema"), ("json", "json"), ("tool", "tool"), ("function", "tool")) if word in lower), None)
    if ours is None:
        return "leave it out: rowcall takes the best that the model has"
    return f"write `mode=\"{ours}\"`, or leave it out: rowcall takes the best that the model has"
