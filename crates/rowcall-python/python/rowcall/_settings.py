"""The settings of an extractor and its account, and how they are passed to the engine."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Callable, Literal, TypedDict, TypeVar

from . import _events, _model, _rows, _words
from ._errors import ConfigError

if TYPE_CHECKING:
    from pydantic import SecretStr

MOST_CONCURRENCY = 100_000
"""The highest `concurrency` accepted, the same as in the engine."""

Mode = Literal["schema", "tool", "json", "prompt"]
"""How the schema is requested: through the provider's structured output, as a tool that the model must call, as a JSON object with
the schema in the prompt, or by the prompt alone."""

Protocol = Literal["chat", "responses", "anthropic", "gemini"]
"""The protocol that the server speaks."""


class AccountSettings(TypedDict, total=False):
    """The settings of an account, except the model. A missing one has rowcall's or the provider's default."""

    base_url: str | None
    """The server's address, instead of the provider's own: `http://localhost:8000/v1`."""
    api_key: str | SecretStr | None
    """The API key, instead of the one in the provider's environment variable."""
    headers: Mapping[str, str] | None
    """Additional headers for every request. Their values are treated as secrets."""
    timeout: float | None
    """Seconds that an attempt may take."""
    ca_cert: str | os.PathLike[str] | None
    """A PEM file of certificate authorities to trust in addition to the system's."""
    concurrency: int | None
    """The maximum number of requests in flight. By default rowcall finds the best number itself."""
    rpm: float | None
    """The maximum number of requests per minute."""
    tpm: float | None
    """The maximum number of tokens per minute, input and output together."""
    price: str | None
    """The price of the model's tokens, in US dollars per million: `in=0.15,out=0.60`."""
    prices: str | os.PathLike[str] | None
    """A file with a price table, instead of the built-in one."""
    budget: float | Decimal | str | None
    """US dollars that all requests together may cost, including those of earlier runs with the same journals."""
    protocol: Protocol | None
    """The protocol that the server speaks. Default: the provider's."""
    dialect: str | None
    """The subset of JSON Schema that the server enforces, such as `"xgrammar"` or `"llama_cpp"`. Default: the provider's.
    `"auto"` probes the server. A name that ends in `.json` is a file with the output of `rowcall schema --probe --json`."""


class TaskSettings(TypedDict, total=False):
    """The settings of an extractor's task, except the type and the prompt."""

    system: str | None
    """Instructions that apply to every row: a template, sent as the system prompt."""
    examples: Sequence[tuple[Any, Any]] | None
    """Pairs of a row and its expected value, shown to the model. All of them are sent with every request."""
    images: Sequence[str] | None
    """Names of the fields that hold images or PDFs to send: a file path, an `https:` or `data:` URL, or a list of these."""
    check: _model.Check | None
    """Your own rule. It gets the row and its value, and returns or raises what is wrong; the model is then asked again."""
    context: Any
    """The `info.context` of Pydantic's validators, or a function that returns it for a row; `info.context["row"]` is the row."""
    mode: Mode | None
    """How the schema is requested. Default: the best mode that the model supports."""
    temperature: float | None
    """Sampling temperature. Sent only if set."""
    max_output_tokens: int | None
    """The maximum number of tokens in an answer, reasoning included."""
    params: Mapping[str, Any] | None
    """Additional fields for the body of every request, named as the provider names them."""
    max_reasks: int | None
    """How often an invalid answer is sent back with its errors. Default: 3."""
    retries: int | None
    """How often a failed attempt is retried. Default: 5. Waiting for rate limits does not count as a retry."""
    dedup: bool | None
    """Send only one request for rows whose requests would be identical. Default: True."""
    same_prompt: bool | None
    """Allow a prompt that uses no field of the row, which asks the same about every row."""
    keep_going: bool | None
    """Continue even if the server rejects all of the first rows in the same way, which otherwise stops the call."""
    deadline: float | None
    """Seconds for which a call may send requests. It then waits for those in flight and raises `LimitError`."""
    max_failures: int | str | None
    """How many rows may fail before a call raises `LimitError`: a number, or a share such as `"5%"`, once 100 have ended."""
    retry_failed: bool | None
    """Ask again about rows that the journal records as failed. A recorded answer that is valid by now is accepted as it is."""
    on_event: _events.Callback | None
    """Called with each `Event`, on a separate thread."""


class Settings(AccountSettings, TaskSettings, total=False):
    """The settings of an extractor and its account, except the type and the model."""


class KeptTaskSettings(TaskSettings, total=False):
    """The settings of an extractor's task, including its own journal."""

    journal: str | os.PathLike[str] | None
    """A file that records each outcome as it arrives. Rows recorded in it are not asked about again, in this process or a later one."""
    accept_changes: bool | None
    """Continue with a journal that was made with another model, prompt, schema or parameters."""
    cache: str | os.PathLike[str] | None
    """A file of answers, shared by all runs and processes that use it. Answers in it are reused, new ones are added."""


class KeptSettings(AccountSettings, KeptTaskSettings, total=False):
    """The settings of an extractor, including its own journal."""


class Secret:
    """A secret value, which a traceback that prints local variables must not show."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def get_secret_value(self) -> Any:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('**********')"


def hide(given: dict[str, Any]) -> None:
    """Wraps the secrets among the arguments. They are validated later, since an error raised here could show them."""
    for name in ("api_key", "headers"):
        if name in given and not hasattr(given[name], "get_secret_value"):
            given[name] = Secret(given[name])


def revealed(secret: Any) -> Any:
    """The value inside a `Secret` or pydantic's `SecretStr`; any other value as it is."""
    return secret.get_secret_value() if hasattr(secret, "get_secret_value") else secret


def secrets(key: Any, headers: Any) -> tuple[Secret, Secret]:
    """The key, or `None`, and the headers as pairs.

    Raises:
        ConfigError: for a key or headers of another type. The message names the type, never the value.
    """
    if not isinstance(revealed(key), (str, type(None))):
        raise ConfigError(f"the setting `api_key` is a `{type(revealed(key)).__name__}`, expected a string")
    if not isinstance(revealed(headers), (Mapping, type(None))):
        raise ConfigError(f"the setting `headers` is a `{type(revealed(headers)).__name__}`, expected a dict of strings")
    pairs = Secret([(name, revealed(value)) for name, value in (revealed(headers) or {}).items()])
    for name, value in revealed(pairs):
        kinds = {type(name).__name__, type(value).__name__} - {"str"}
        del name, value
        if kinds:
            raise ConfigError(f"the setting `headers` has a `{min(kinds)}` in it, expected strings")
    return Secret(revealed(key)), pairs


_F = TypeVar("_F", bound=Callable[..., Any])


def guarded(what: str, elsewhere: Callable[[str], str | None] = lambda name: None) -> Callable[[_F], _F]:
    """Checks the names of the arguments before a function or method is called, and hides the key, so that an error raised there
    shows no secret. For a name from another library the error says what to write instead. `elsewhere` returns the message for a
    setting that belongs to another function."""

    def guard(function: _F) -> _F:
        code = function.__code__
        positional = code.co_varnames[: code.co_argcount]
        known = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        required = positional[: code.co_argcount - len(function.__defaults__ or ())]

        def called(*args: Any, **given: Any) -> Any:
            hide(given)
            for name in given:
                if name not in known and name not in positional:
                    raise TypeError(elsewhere(name) or f"`{name}` is not {what}: {_words.setting(name, known)}")
            for name in required[len(args) :]:
                if name not in given and name in _words.MISSING:
                    raise TypeError(_words.MISSING[name])
            return function(*args, **given)

        for name in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
            setattr(called, name, getattr(function, name))
        # `inspect` and `help` show the wrapped function.
        called.__wrapped__ = function  # type: ignore[attr-defined]
        return called  # type: ignore[return-value]

    return guard


_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    **{name: ((int, float), "a number") for name in ("temperature", "timeout", "rpm", "tpm", "deadline")},
    **{name: ((int,), "a whole number") for name in ("max_output_tokens", "max_reasks", "retries")},
    **{name: ((bool,), "True or False") for name in ("dedup", "same_prompt", "keep_going", "accept_changes", "retry_failed")},
    **{name: ((str,), "a string") for name in ("prompt", "system", "base_url", "mode", "protocol", "dialect", "price")},
}


def check_kinds(given: Mapping[str, Any]) -> None:
    """Checks that numbers are numbers and names are names.

    Raises:
        ConfigError: for the first setting of another type.
    """
    for name, value in given.items():
        if value is None or name not in _KINDS:
            continue
        kinds, expected = _KINDS[name]
        if name == "mode" and (advice := _words.mode(value)) is not None:
            raise ConfigError(f"the setting `mode` is `Mode.{value.name}` of another library: {advice}")
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ConfigError(f"the setting `{name}` is {shown(value)}, expected {expected}")


def check_model(model: Any) -> None:
    """Checks the model's name.

    Raises:
        ConfigError: if it is not a string, such as a client.
    """
    if isinstance(model, str):
        return
    if model is None:
        raise TypeError(_words.MISSING["model"])
    client = "; no client is needed" if hasattr(model, "chat") or hasattr(model, "messages") else ""
    raise ConfigError(f"`model` is of type `{type(model).__name__}`, expected a name such as `openai/gpt-6-luna`{client}")


def shown(value: Any) -> str:
    """A value with its type, for an error."""
    text = repr(value)
    return f"`{text if len(text) <= 40 else text[:39] + '…'}` of type `{type(value).__name__}`"


def check_concurrency(concurrency: Any) -> None:
    """Checks `concurrency`, if it is given.

    Raises:
        ConfigError: for anything but a whole number from 1 to 100,000.
    """
    if concurrency is None:
        return
    if not isinstance(concurrency, int) or isinstance(concurrency, bool):
        raise ConfigError(f"the setting `concurrency` is {shown(concurrency)}, expected a whole number")
    if not 1 <= concurrency <= MOST_CONCURRENCY:
        raise ConfigError(f"concurrency `{concurrency}` is out of range, expected a number from 1 to {MOST_CONCURRENCY}")


def as_json(settings: Mapping[str, Any], what: str) -> str:
    """The settings as JSON, for the engine.

    Raises:
        ConfigError: for a setting (called `what` in the message) that cannot be represented in JSON.
    """
    try:
        return json.dumps(settings, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        for name, value in settings.items():
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError, RecursionError) as error:
                raise ConfigError(f"the {what} `{name}` cannot be represented in JSON: {error}") from None
        raise


def path(name: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None) -> str | None:
    """A file name as text."""
    return None if name is None else os.fsdecode(name)


def account(model: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an account, in the form that the engine takes."""
    check_model(model)
    check_kinds(given)
    check_concurrency(given.get("concurrency"))
    return {
        "model": model,
        "base_url": given.get("base_url"),
        "protocol": given.get("protocol"),
        "dialect": given.get("dialect"),
        "timeout": given.get("timeout"),
        "ca_cert": path(given.get("ca_cert")),
        "concurrency": given.get("concurrency"),
        "most_connections": _most_connections(),
        "rpm": given.get("rpm"),
        "tpm": given.get("tpm"),
        "price": given.get("price"),
        "prices": path(given.get("prices")),
        "budget": _amount(given.get("budget")),
    }


def _amount(budget: Any) -> str | None:
    """An amount of US dollars in the form that the engine reads, without an exponent."""
    if budget is None or isinstance(budget, str):
        return budget
    if not isinstance(budget, (int, float, Decimal)) or isinstance(budget, bool):
        raise ConfigError(f"the setting `budget` is {shown(budget)}, expected US dollars such as `5` or `\"0.50\"`")
    return format(Decimal(str(budget)), "f")


def task(made: _model.Model, account: dict[str, Any], prompt: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an extractor, in the form that the engine takes."""
    if prompt is None:
        raise ConfigError("the setting `prompt` is None, expected a template such as `{{ text }}`")
    check_kinds({**given, "prompt": prompt})
    journal, cache = given.get("journal"), given.get("cache")
    if not isinstance(cache, (str, os.PathLike, type(None))):
        raise ConfigError(f"the setting `cache` is {shown(cache)}, expected a file name")
    params = given.get("params")
    if not isinstance(params, (Mapping, type(None))):
        raise ConfigError(f"the setting `params` is a `{type(params).__name__}`, expected a dict")
    return {
        "account": account,
        "schema": made.schema,
        "schema_is_given": made.schema_is_given,
        "output_schema": made.output_schema,
        "validated_by": None if made.rules is None else made.name,
        "validated_by_hash": None if journal is None and cache is None else made.fingerprint(),
        "prompt": prompt,
        "same_prompt": given.get("same_prompt") or False,
        "keep_going": given.get("keep_going") or False,
        "deadline": given.get("deadline"),
        "max_failures": None if given.get("max_failures") is None else str(given["max_failures"]),
        "system": given.get("system"),
        "examples": [_example(made, example) for example in given.get("examples") or ()],
        "images": _names("images", given.get("images") or ()),
        "mode": given.get("mode"),
        "temperature": given.get("temperature"),
        "max_output_tokens": given.get("max_output_tokens"),
        "params": dict(params or {}),
        "max_reasks": given.get("max_reasks"),
        "retries": given.get("retries"),
        "dedup": True if given.get("dedup") is None else given["dedup"],
        "retry_failed": given.get("retry_failed") or False,
        "journal": None
        if journal is None
        else {"path": path(journal), "accept_changes": given.get("accept_changes") or False},
        "cache": path(cache),
    }


def _names(setting: str, names: Sequence[str]) -> list[str]:
    if isinstance(names, str):
        raise TypeError(f"`{setting}` is the string `{names}`, expected a list of names")
    return list(names)


def _example(made: _model.Model, example: tuple[Any, Any]) -> tuple[Any, Any]:
    if not isinstance(example, (tuple, list)) or len(example) != 2:
        raise TypeError(f"`examples` contains a `{type(example).__name__}`, expected pairs of a row and its value")
    row, value = example
    fields = {"text": row} if isinstance(row, str) else _rows.fields_of(row)
    return json.loads(json.dumps(fields, default=_rows.plain)), made.plain(value)


def _most_connections() -> int | None:
    """How many requests may be in flight, with one connection each. Raises the limit on open files as far as possible."""
    try:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    except (ImportError, OSError, ValueError):
        return None
    return None if soft == resource.RLIM_INFINITY else max(soft - 64, 1)
