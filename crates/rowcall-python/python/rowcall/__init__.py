"""Calls a language model on every row of a data set and returns a typed, validated value for each.

    import asyncio, rowcall
    from pydantic import BaseModel

    class Person(BaseModel):
        name: str
        age: int

    people = rowcall.Extractor(Person, model="openai/gpt-6-luna", prompt="Extract person info: {{ text }}")
    person = people.extract_sync("John Smith is 30 years old")

`Extractor` has a method for every way of asking, named as in asyncio. `model="sim"` uses a simulated provider on your own
machine, without a key. The package also installs the command `rowcall`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _interpreter
from ._client import Client
from ._errors import (
    AuthError,
    ClashError,
    ClosedError,
    ConfigError,
    ConflictError,
    ConnectionBrokenError,
    ContentFilterError,
    ContentPolicyError,
    ContextLengthError,
    EncodingError,
    Error,
    FaultError,
    InputError,
    InvalidError,
    InvalidRequestError,
    InvalidSchemaError,
    JournalError,
    LimitError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    RefusalError,
    RequestExceedsLimitError,
    RowError,
    ServerError,
    SinkError,
    SourceError,
    TemplateError,
    TimedOutError,
    TooLargeError,
    TruncatedError,
    UnprocessableError,
    UnreachableError,
    UnsupportedParameterError,
    Violation,
)
from ._estimate import Estimate
from ._events import Event
from ._extractor import Extractor
from ._failures import Failure, Failures
from ._file_run import FileOptions
from ._files import run
from ._outcomes import Outcomes
from ._report import Report, report
from ._results import to_table
from ._rowcall import Outcome, Usage, __version__
from ._settings import KeptSettings, Settings
from ._stats import Reason, Stats
from ._warnings import RowcallWarning

__all__ = [
    "AuthError",
    "ClashError",
    "Client",
    "ClosedError",
    "ConfigError",
    "ConflictError",
    "ConnectionBrokenError",
    "ContentFilterError",
    "ContentPolicyError",
    "ContextLengthError",
    "EncodingError",
    "Error",
    "Estimate",
    "Event",
    "Extractor",
    "Failure",
    "Failures",
    "FaultError",
    "FileOptions",
    "InputError",
    "InvalidError",
    "InvalidRequestError",
    "InvalidSchemaError",
    "JournalError",
    "KeptSettings",
    "LimitError",
    "NotFoundError",
    "Outcome",
    "Outcomes",
    "OverloadedError",
    "PermissionDeniedError",
    "QuotaError",
    "RateLimitError",
    "Reason",
    "Report",
    "RefusalError",
    "RequestExceedsLimitError",
    "RowError",
    "RowcallWarning",
    "ServerError",
    "Settings",
    "SinkError",
    "SourceError",
    "Stats",
    "TemplateError",
    "TimedOutError",
    "TooLargeError",
    "TruncatedError",
    "UnprocessableError",
    "UnreachableError",
    "UnsupportedParameterError",
    "Usage",
    "Violation",
    "__version__",
    "report",
    "run",
    "to_table",
]


if not TYPE_CHECKING:

    def __getattr__(name):
        from ._words import of_module

        advice = of_module(name)
        raise AttributeError(f"rowcall has no `{name}`" + ("" if advice is None else f": {advice}"))
