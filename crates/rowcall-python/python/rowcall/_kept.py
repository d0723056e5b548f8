"""Keeps the finished work of a call that ended early: the exception carries it, and its note says how to continue."""

from __future__ import annotations

import sys
from typing import Any


def keep(error: BaseException, outcomes: Any, rows: int, journal: str | None) -> None:
    """Attaches the outcomes so far to the exception, with a note on how many rows are done.

    Args:
        error: The exception that ends the call.
        outcomes: The outcomes, or the table so far.
        rows: How many rows are done.
        journal: The extractor's journal, if it has one.
    """
    try:
        error.outcomes = outcomes  # type: ignore[attr-defined]
    except AttributeError:
        # A foreign exception that does not allow attributes.
        return
    if sys.version_info >= (3, 11) and rows > 0:
        error.add_note(_note(rows, journal))


def _note(rows: int, journal: str | None) -> str:
    done = "1 other row is done" if rows == 1 else f"{rows} other rows are done"
    if journal is not None:
        return f"{done}: this exception's `outcomes` has them, and the same call continues from the journal `{journal}`"
    return f"{done}: this exception's `outcomes` has them; with `journal=PATH` the same call would continue from there"
