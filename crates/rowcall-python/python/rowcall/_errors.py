"""What goes wrong, as exceptions: the subclasses mirror the engine's kinds of errors, failures and faults."""

from __future__ import annotations

import re
import sys
from typing import Any, NamedTuple

from ._rowcall import Usage

__all__ = ["Error", "RowError", "Violation", "of"]


class Violation(NamedTuple):
    """One reason why an answer gave no value."""

    path: str
    """Where in the value, as a JSON Pointer; empty for the whole value."""
    message: str
    """What is wrong there, and what was expected."""


class Error(Exception):
    """Anything that rowcall raises."""

    kind: str = "error"
    """The class of the trouble, as it is written in `_error.kind` of an output."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        """What to do next, if there is something better than reading the message again."""
        self.outcomes: Any = []
        """What was done before it: of `gather`, `sequential` and `map` the outcomes of other rows, of `map_table` the table so far."""
        if hint is not None and sys.version_info >= (3, 11):
            self.add_note(hint)

    def __reduce__(self) -> Any:
        # Outcomes hold whatever the user's values are.
        return (_again, (type(self), self.args, {**self.__dict__, "outcomes": []}))


def _again(kind: type[Error], args: tuple[Any, ...], state: dict[str, Any]) -> Error:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigError(Error, ValueError):
    """What was asked for cannot be run. Nothing has been sent."""

    kind = "config"


class ClosedError(Error, ValueError):
    """The extractor or the client was closed."""

    kind = "closed"


class SourceError(Error):
    """The rows could not be read on."""

    kind = "source"


class JournalError(Error):
    """The journal could not be written to or read. What it holds is safe."""

    kind = "journal"


class LimitError(Error):
    """A call has come to a limit of yours: a budget, a deadline, or how many rows may fail."""

    kind = "limit"


class SinkError(Error):
    """The output could not take what was done."""

    kind = "sink"


class RowError(Error):
    """A row that ended without a value, or what stopped a run because every row would have met it; then `index` is `None`."""

    kind = "row"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        index: int | None = None,
        told: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        told = told or {}
        effort = told.get("effort") or {}
        self.index = index
        """Position of the row in the input, counted from 0."""
        self.attempts: int = effort.get("attempts", 0)
        """Requests sent for the row."""
        self.prompts: int = effort.get("prompts", 0)
        """Prompts asked: 1 plus the re-asks."""
        self.usage = Usage(**(effort.get("usage") or {}))
        """Tokens of all attempts that reported them."""
        self.violations = [Violation(found["path"], found["message"]) for found in told.get("violations") or ()]
        """What was wrong with the last answer."""
        self.completion: Any = told.get("completion")
        """The last answer as the provider sent it, the whole body of its response: for a stream, a list of its events. `None` if there was
        none, or if only a journal knows of it."""
        self.text: str | None = told.get("text")
        """The last answer's text, or the arguments of its first tool call, if there was one."""
        self.best: Any = told.get("best")
        """The invalid value with the fewest violations, as JSON, if any answer had a value at all."""
        fault = told.get("fault") or {}
        self.status: int | None = fault.get("status")
        """The HTTP status of the last fault, if a response stands behind it."""
        self.request_id: str | None = fault.get("request_id")
        """The provider's id of the request, to quote to its support."""

    def __str__(self) -> str:
        row = "" if self.index is None else f"row {self.index}: "
        # What the message says already is not said again.
        said = self.message.endswith(tuple(found.message for found in self.violations)) and len(self.violations) == 1
        others = () if said else self.violations[:8]
        told = "".join(f"\n  {found.path or '(value)'}: {found.message}" for found in others)
        return f"{row}{self.message}{told}"


    def __repr__(self) -> str:
        row = "" if self.index is None else f", index={self.index}"
        return f"{type(self).__name__}({self.message!r}{row})"


class InputError(RowError):
    """The record could not be read."""

    kind = "input"


class ClashError(RowError):
    """A field of the record has the name of a field that the output adds."""

    kind = "clash"


class TemplateError(RowError):
    """The prompt could not be rendered: a variable that this row lacks, or a filter that does not fit it."""

    kind = "template"


class InvalidError(RowError):
    """No answer was valid by the schema and the model."""

    kind = "invalid"


class RefusalError(RowError):
    """The model declined."""

    kind = "refusal"


class TruncatedError(RowError):
    """The answer was cut at the output limit."""

    kind = "truncated"


class ContentFilterError(RowError):
    """The provider's filter withheld the answer."""

    kind = "content_filter"


class FaultError(RowError):
    """Every attempt allowed ended in a fault."""

    kind = "fault"


class RateLimitError(FaultError):
    """429: too many requests or tokens for now."""

    kind = "rate_limit"


class OverloadedError(FaultError):
    """The provider has no capacity for now."""

    kind = "overloaded"


class TimedOutError(FaultError, TimeoutError):
    """No answer within the time allowed."""

    kind = "timeout"


class ServerError(FaultError):
    """5xx, or an answer that no client could read."""

    kind = "server"


class UnreachableError(FaultError, ConnectionError):
    """No connection came about, so that nothing was sent."""

    kind = "unreachable"


class ConnectionBrokenError(FaultError, ConnectionError):
    """The connection broke before the answer was complete."""

    kind = "connection"


class ConflictError(FaultError):
    """The resource was busy."""

    kind = "conflict"


class QuotaError(FaultError):
    """Credit, a spend limit or a day's allowance is used up."""

    kind = "quota"


class AuthError(FaultError):
    """The key was not accepted."""

    kind = "auth"


class PermissionDeniedError(FaultError):
    """The account may not do this."""

    kind = "permission"


class NotFoundError(FaultError):
    """No such model or path."""

    kind = "not_found"


class InvalidSchemaError(FaultError):
    """The provider does not take the schema."""

    kind = "invalid_schema"


class UnsupportedParameterError(FaultError):
    """The model does not take a parameter or its value."""

    kind = "unsupported_parameter"


class ContextLengthError(FaultError):
    """The prompt is longer than the model's context."""

    kind = "context_length"


class ContentPolicyError(FaultError):
    """The prompt was blocked by the provider's policy."""

    kind = "content_policy"


class TooLargeError(FaultError):
    """The request's body is too large."""

    kind = "too_large"


class RequestExceedsLimitError(FaultError):
    """One request exceeds what the account is allowed in a whole minute."""

    kind = "request_exceeds_limit"


class UnprocessableError(FaultError):
    """Understood, but not processable."""

    kind = "unprocessable"


class InvalidRequestError(FaultError):
    """Any other 4xx."""

    kind = "invalid_request"


def _all(of: type[Error]) -> dict[str, type[Error]]:
    found = {of.kind: of}
    for kind in of.__subclasses__():
        found |= _all(kind)
    return found


_BY_KIND = _all(Error)

# The options of the command line, as the engine's hints name them with what they take, and their names here.
_OPTION = re.compile(r"--([a-z][a-z-]*)(?: ([A-Z]+)\b| (tool|txt|jsonl|skip|ask)\b)?")
_FLAGS = ("fresh", "accept-changes", "force", "meta", "same-prompt", "keep-going")


def in_python(hint: str | None) -> str | None:
    """A text that names options of the command line, with our keywords for them."""
    return None if hint is None else _OPTION.sub(_option, hint)


def _option(found: re.Match[str]) -> str:
    name, _, value = found.groups()
    given = "True" if name in _FLAGS else "" if value is None else f'"{value}"'
    return f"{name.replace('-', '_')}={given}"


def of(
    kind: str,
    message: str,
    hint: str | None,
    index: int | None,
    told: dict[str, Any] | None,
) -> Error:
    """The exception for what the engine tells."""
    hint = in_python(hint)
    made = _BY_KIND.get(kind, Error)
    if issubclass(made, RowError):
        return made(message, hint=hint, index=index, told=told)
    return made(message, hint=hint)

