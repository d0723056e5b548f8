"""Failed rows, for inspection."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import _shown

_SHOWN = 20
"""The most failures that a notebook shows."""


class Failure(NamedTuple):
    """A failed row."""

    index: int  # type: ignore[assignment]
    """Position of the row in its input, counted from 0."""
    kind: str
    """The kind of the failure, as in `_error.kind`."""
    message: str
    """The error message."""
    field: str | None
    """The location of the last answer's first violation, as a JSON Pointer; empty for the whole value, `None` without violations."""
    answer: str | None
    """The last answer's text, truncated to 4,096 bytes; `None` if there was no answer."""


class Failures(list[Failure]):
    """A list of failures that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        more = f", the last {_SHOWN} of which are shown" if len(self) > _SHOWN else ""
        title = f"{len(self):,} failed {'row' if len(self) == 1 else 'rows'}{more}"
        return _shown.table(title, Failure._fields, self[-_SHOWN:])


def failures(kept: list[list[Any]]) -> Failures:
    """The failures that the engine has kept."""
    return Failures(Failure(*each) for each in kept)
