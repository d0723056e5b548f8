"""Rows that failed, to be looked at."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import _shown

_SHOWN = 20
"""Failures that a notebook shows."""


class Failure(NamedTuple):
    """A row that failed."""

    index: int  # type: ignore[assignment]
    """Position of the row in its input, counted from 0."""
    kind: str
    """The kind of the failure, as in `_error.kind`."""
    message: str
    """What happened."""
    field: str | None
    """Where the first violation of the last answer is, as a JSON Pointer; empty for the whole value, `None` if none was found."""
    answer: str | None
    """The last answer's text, cut after 4,096 bytes; `None` if there was none."""


class Failures(list[Failure]):
    """Failures, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        more = f", the last {_SHOWN} of which are shown" if len(self) > _SHOWN else ""
        title = f"{len(self):,} failed {'row' if len(self) == 1 else 'rows'}{more}"
        return _shown.table(title, Failure._fields, self[-_SHOWN:])


def failures(told: list[list[Any]]) -> Failures:
    """What the engine has kept."""
    return Failures(Failure(*each) for each in told)
