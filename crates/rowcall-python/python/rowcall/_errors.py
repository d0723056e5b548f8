"""Exceptions. The subclasses mirror the engine's kinds of errors, failures and faults."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from ._rowcall import Usage

__all__ = ["Error", "RowError", "Violation", "of"]


class Violation(NamedTuple):
    """One reason why an answer was invalid."""

    path: str
    """The location in the value, as a JSON Pointer; empty for the whole value."""
    message: str
    """What is wrong there, and what was expected."""


class Error(Exception):
    """The base class of everything that rowcall raises."""

    kind: str = "error"
    """The kind of error, as in `_error.kind` of an output."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        """What to do next, if there is useful advice."""
        self.outcomes: Any = []
        """Finished work: the outcomes of the other rows for `gather`, `sequential` and `map`, the table so far for `map_table`."""
        if hint is not None and sys.version_info >= (3, 11):
            self.add_note(hint)

    def __reduce__(self) -> Any:
        # Outcomes hold the user's values, which may not be picklable.
        return (_again, (type(self), self.args, {**self.__dict__, "outcomes": []}))


def _again(kind: type[Error], args: tuple[Any, ...], state: dict[str, Any]) -> Error:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigError(Error, ValueError):
    """The settings are invalid. Nothing has been sent."""

    kind = "config"


class ClosedError(Error, ValueError):
    """The extractor or the client was closed."""

    kind = "closed"


class SourceError(Error):
    """Reading the rows failed."""

    kind = "source"


class JournalError(Error):
    """The journal could not be read or written. What is already in it is safe."""

    kind = "journal"


class LimitError(Error):
    """A call reached one of your limits: the budget, the deadline, or the number of rows that may fail."""

    kind = "limit"


class SinkError(Error):
    """Writing the output failed."""

    kind = "sink"


class RowError(Error):
    """A row ended without a value; or an error that would affect every row stopped the run, and then `index` is `None`."""

    kind = "row"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        index: int | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        details = details or {}
        effort = details.get("effort") or {}
        self.index = index
        """Position of the row in the input, counted from 0."""
        self.attempts: int = effort.get("attempts", 0)
        """Requests sent for the row."""
        self.prompts: int = effort.get("prompts", 0)
        """Prompts sent: 1 plus the re-asks."""
        self.usage = Usage(**(effort.get("usage") or {}))
        """Tokens of all attempts that reported them."""
        self.violations = [Violation(found["path"], found["message"]) for found in details.get("violations") or ()]
        """What was wrong with the last answer."""
        self.completion: Any = details.get("completion")
        """The last answer as the provider sent it: the whole response body, or for a stream the list of its events. `None` if there was no
        answer, or if the failure comes from a journal."""
        self.text: str | None = details.get("text")
        """The last answer's text, or the arguments of its first tool call, if there was one."""
        self.best: Any = details.get("best")
        """The invalid value with the fewest violations, as JSON, if any answer had a value at all."""
        fault = details.get("fault") or {}
        self.status: int | None = fault.get("status")
        """The HTTP status of the last fault, if it was a response."""
        self.request_id: str | None = fault.get("request_id")
        """The provider's request id, to quote to its support."""

    def __str__(self) -> str:
        row = "" if self.index is None else f"row {self.index}: "
        # Do not repeat a violation that is already in the message.
        is_in_message = self.message.endswith(tuple(found.message for found in self.violations)) and len(self.violations) == 1
        others = () if is_in_message else self.violations[:8]
        lines = "".join(f"\n  {found.path or '(value)'}: {found.message}" for found in others)
        return f"{row}{self.message}{lines}"


    def __repr__(self) -> str:
        row = "" if self.index is None else f", index={self.index}"
        return f"{type(self).__name__}({self.message!r}{row})"


class InputError(RowError):
    """The record could not be read."""

    kind = "input"


class EncodingError(InputError):
    """The record is not text in the input's encoding."""

    kind = "encoding"


class ClashError(RowError):
    """A field of the record has the same name as a field that the output adds."""

    kind = "clash"


class TemplateError(RowError):
    """The prompt could not be rendered: the row lacks a variable, or a filter does not apply to its value."""

    kind = "template"


class InvalidError(RowError):
    """No answer satisfied the schema and the Python model."""

    kind = "invalid"


class RefusalError(RowError):
    """The model refused to answer."""

    kind = "refusal"


class TruncatedError(RowError):
    """The answer was cut off at the output limit."""

    kind = "truncated"


class ContentFilterError(RowError):
    """The provider's filter withheld the answer."""

    kind = "content_filter"


class FaultError(RowError):
    """All attempts failed; the subclass says how the last one did."""

    kind = "fault"


class RateLimitError(FaultError):
    """429: too many requests or tokens at the moment."""

    kind = "rate_limit"


class OverloadedError(FaultError):
    """The provider has no capacity at the moment."""

    kind = "overloaded"


class TimedOutError(FaultError, TimeoutError):
    """No answer within the time allowed."""

    kind = "timeout"


class ServerError(FaultError):
    """5xx, or a response that cannot be read."""

    kind = "server"


class UnreachableError(FaultError, ConnectionError):
    """No connection could be made, so nothing was sent."""

    kind = "unreachable"


class ConnectionBrokenError(FaultError, ConnectionError):
    """The connection broke before the answer was complete."""

    kind = "connection"


class ConflictError(FaultError):
    """The resource was busy."""

    kind = "conflict"


class QuotaError(FaultError):
    """Credit, a spend limit or a daily quota is used up."""

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
    """The provider does not accept the schema."""

    kind = "invalid_schema"


class UnsupportedParameterError(FaultError):
    """The model does not accept a parameter or its value."""

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
    """A single request exceeds the account's limit for a whole minute."""

    kind = "request_exceeds_limit"


class UnprocessableError(FaultError):
    """422: the request was understood but cannot be processed."""

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


def of(
    kind: str,
    message: str,
    hint: str | None,
    index: int | None,
    details: dict[str, Any] | None,
) -> Error:
    """The exception for an error that the engine reports."""
    made = _BY_KIND.get(kind, Error)
    if issubclass(made, RowError):
        return made(message, hint=hint, index=index, details=details)
    return made(message, hint=hint)

