"""What an extractor may be told, by name, and how that is passed on to the engine."""

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
"""The most requests in flight that may be asked for, as in the engine."""

Mode = Literal["schema", "tool", "json", "prompt"]
"""How the schema is asked for: by the provider's own structured output, by a tool that the model is made to call, as a JSON object
with the schema in the prompt, or by the prompt alone."""

Protocol = Literal["chat", "responses", "anthropic", "gemini"]
"""How the server is spoken to."""


class AccountSettings(TypedDict, total=False):
    """What an account may be told, beside the model. What is left out is rowcall's or the provider's default."""

    base_url: str | None
    """Another address than the provider's own, such as `http://localhost:8000/v1`."""
    api_key: str | SecretStr | None
    """The key, in place of the one in the provider's environment variable."""
    headers: Mapping[str, str] | None
    """Further headers of every request. Their values are treated as secrets."""
    timeout: float | None
    """Seconds that an attempt may take."""
    ca_cert: str | os.PathLike[str] | None
    """A PEM file with certificate authorities to trust beside the system's."""
    concurrency: int | None
    """The most requests in flight; found out by rowcall if left out."""
    rpm: float | None
    """The most requests per minute."""
    tpm: float | None
    """The most tokens per minute, in and out together."""
    price: str | None
    """What the model's tokens cost, in US dollars for a million of them: `in=0.15,out=0.60`."""
    prices: str | os.PathLike[str] | None
    """A file with a table of prices, in place of the one that is built in."""
    budget: float | Decimal | str | None
    """US dollars that all requests may cost together, those of earlier runs of the same journals included."""
    protocol: Protocol | None
    """How the server is spoken to; as the provider is used to if left out."""
    dialect: str | None
    """The subset of JSON Schema that the server holds a model to, such as `"xgrammar"` or `"llama_cpp"`; the provider's usual one if
    left out. `"auto"` asks the server; a name that ends in `.json` is that of a file with what `rowcall schema --probe --json` found."""


class TaskSettings(TypedDict, total=False):
    """What an extractor may be told about its task, beside the type and the prompt."""

    system: str | None
    """What holds for every row: a template, sent as the protocol's system part."""
    examples: Sequence[tuple[Any, Any]] | None
    """Rows with the values that they are to get, for the model to go by. Each goes along with every request."""
    images: Sequence[str] | None
    """The fields that hold images or PDFs to go along: a file's path, an `https:` or a `data:` URL, or a list of them."""
    check: _model.Check | None
    """A rule of yours: called with the row and its value, returns or raises what is wrong, for which the model is asked again."""
    context: Any
    """What Pydantic's validators find in `info.context`, or a function that gives it for a row; `info.context["row"]` is the row."""
    mode: Mode | None
    """How the schema is asked for; by the best that the model has if left out."""
    temperature: float | None
    """Sampling temperature. Never sent unless asked for."""
    max_output_tokens: int | None
    """The most tokens an answer may have, reasoning included."""
    params: Mapping[str, Any] | None
    """Further fields of every request's body, as the provider names them."""
    max_reasks: int | None
    """How often an invalid answer is asked for again, with what was wrong: 3 if left out."""
    retries: int | None
    """How often an attempt that failed is repeated: 5 if left out. Limits are waited out in any case."""
    dedup: bool | None
    """Whether rows that would be asked the very same are asked once; they are, if left out."""
    same_prompt: bool | None
    """Allow a prompt that uses no field of the row, so that every row is asked the same."""
    keep_going: bool | None
    """Ask about every row even if the server refuses the first ones all alike, which otherwise stops the call."""
    deadline: float | None
    """Seconds that a call may send requests; then it raises `LimitError`, once those in flight are answered."""
    max_failures: int | str | None
    """How many rows may fail before a call raises `LimitError`: a number, or a share such as `"5%"` once 100 have ended."""
    retry_failed: bool | None
    """Ask again about rows that failed, of those that the journal knows. An invalid answer that is valid by now is taken as it is."""
    on_event: _events.Callback | None
    """Called with each `Event`, from a thread of its own."""


class Settings(AccountSettings, TaskSettings, total=False):
    """What an extractor and its account may be told, beside the type and the model."""


class KeptTaskSettings(TaskSettings, total=False):
    """The settings of an extractor's task, which may have a journal of its own."""

    journal: str | os.PathLike[str] | None
    """A file in which outcomes are kept as they come: what it knows is not asked again, in this process or a later one."""
    accept_changes: bool | None
    """Whether to go on with a journal that was made with another model, prompt, schema or parameters."""
    cache: str | os.PathLike[str] | None
    """A file with the answers of all runs and processes that share it: what is in it is not asked again, what is asked is put there."""


class KeptSettings(AccountSettings, KeptTaskSettings, total=False):
    """The settings of an extractor that may have a journal of its own."""


class Secret:
    """What must not be shown, such as by a report of an error with all variables."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def get_secret_value(self) -> Any:
        """It itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('**********')"


def hide(given: dict[str, Any]) -> None:
    """Puts what must not be shown out of sight. It is not looked at yet: an error would show it."""
    for name in ("api_key", "headers"):
        if name in given and not hasattr(given[name], "get_secret_value"):
            given[name] = Secret(given[name])


def revealed(secret: Any) -> Any:
    """What was hidden, by us or by pydantic's `SecretStr`."""
    return secret.get_secret_value() if hasattr(secret, "get_secret_value") else secret


def secrets(key: Any, headers: Any) -> tuple[Secret, Secret]:
    """The key, or `None`, and the headers as pairs.

    Raises:
        ConfigError: for what cannot be either. What it is is not told, only its type.
    """
    if not isinstance(revealed(key), (str, type(None))):
        raise ConfigError(f"the setting `api_key` is a `{type(revealed(key)).__name__}`, expected a string")
    if not isinstance(revealed(headers), (Mapping, type(None))):
        raise ConfigError(f"the setting `headers` is a `{type(revealed(headers)).__name__}`, expected a dict of strings")
    pairs = Secret([(name, revealed(value)) for name, value in (revealed(headers) or {}).items()])
    for place, (name, value) in enumerate(revealed(pairs)):
        kinds = {type(name).__name__, type(value).__name__} - {"str"}
        del name, value
        if kinds:
            raise ConfigError(f"the setting `headers` has a `{min(kinds)}` in it, expected strings")
    return Secret(revealed(key)), pairs


_F = TypeVar("_F", bound=Callable[..., Any])


def guarded(what: str, elsewhere: Callable[[str], str | None] = lambda name: None) -> Callable[[_F], _F]:
    """Checks the names of what a function or a method is given before it is called, and hides the key: an error that is raised
    there shows no secret, and names what to write in place of a word of another library's. What is set `elsewhere` has a message of its
    own."""

    def guard(function: _F) -> _F:
        code = function.__code__
        positional = code.co_varnames[: code.co_argcount]
        known = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        required = positional[: code.co_argcount - len(function.__defaults__ or ())]

        def called(*args: Any, **given: Any) -> Any:
            hide(given)
            for name in given:
                if name not in known and name not in positional:
                    raise TypeError(elsewhere(name) or f"`{name}` is no {what}: {_words.setting(name, known)}")
            for name in required[len(args) :]:
                if name not in given and name in _words.MISSING:
                    raise TypeError(_words.MISSING[name])
            return function(*args, **given)

        for name in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
            setattr(called, name, getattr(function, name))
        # What `inspect` and `help` show.
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
        if name == "mode" and (meant := _words.mode(value)) is not None:
            raise ConfigError(f"the setting `mode` is `Mode.{value.name}` of another library: {meant}")
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ConfigError(f"the setting `{name}` is {shown(value)}, expected {expected}")


def check_model(model: Any) -> None:
    """Checks the model's name.

    Raises:
        ConfigError: for what is no string, such as a client.
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
    """Checks the most requests in flight, if they are said.

    Raises:
        ConfigError: for anything but a whole number from 1 to 100,000.
    """
    if concurrency is None:
        return
    if not isinstance(concurrency, int) or isinstance(concurrency, bool):
        raise ConfigError(f"the setting `concurrency` cannot be used: it is {concurrency!r}, expected a whole number")
    if not 1 <= concurrency <= MOST_CONCURRENCY:
        raise ConfigError(f"concurrency `{concurrency}` is out of range, expected a number from 1 to {MOST_CONCURRENCY}")


def as_json(told: Mapping[str, Any], what: str) -> str:
    """What the engine is told.

    Raises:
        ConfigError: for a `what` with something in it that has no form in JSON.
    """
    try:
        return json.dumps(told, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        for name, value in told.items():
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError, RecursionError) as error:
                raise ConfigError(f"the {what} `{name}` cannot be used, since it has no form in JSON: {error}") from None
        raise


def path(name: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None) -> str | None:
    """The name of a file as text."""
    return None if name is None else os.fsdecode(name)


def account(model: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the engine is told about an account."""
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
    """An amount of US dollars as the engine reads it, which knows no exponents."""
    if budget is None or isinstance(budget, str):
        return budget
    if not isinstance(budget, (int, float, Decimal)) or isinstance(budget, bool):
        raise ConfigError(f"the setting `budget` is {shown(budget)}, expected US dollars such as `5` or `\"0.50\"`")
    return format(Decimal(str(budget)), "f")


def told(made: _model.Model, account: dict[str, Any], prompt: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the engine is told about an extractor."""
    if prompt is None:
        raise ConfigError("the setting `prompt` is None, expected a template such as `{{ text }}`")
    check_kinds({**given, "prompt": prompt})
    journal, cache = given.get("journal"), given.get("cache")
    if not isinstance(cache, (str, os.PathLike, type(None))):
        raise ConfigError(f"the setting `cache` is {shown(cache)}, expected the name of a file")
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
        raise TypeError(f"`examples` has a `{type(example).__name__}` in it that is no pair, expected a row and its value")
    row, value = example
    fields = {"text": row} if isinstance(row, str) else _rows.fields_of(row)
    return json.loads(json.dumps(fields, default=_rows.plain)), made.plain(value)


def _most_connections() -> int | None:
    """How many requests may be in flight, one connection each: the limit on open files is raised as far as it goes."""
    try:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    except (ImportError, OSError, ValueError):
        return None
    return None if soft == resource.RLIM_INFINITY else max(soft - 64, 1)
