"""What is kept of a call that ended early: what was paid for goes along with the exception, whose note says how to go on."""

from __future__ import annotations

import sys
from typing import Any


def keep(error: BaseException, outcomes: Any, rows: int, journal: str | None) -> None:
    """Attaches the outcomes so far to the exception, with a note that says of how many rows.

    Args:
        error: What ends the call.
        outcomes: Outcomes, or the table as far as it has come.
        rows: How many rows are done.
        journal: The extractor's journal, if it has one.
    """
    try:
        error.outcomes = outcomes  # type: ignore[attr-defined]
    except AttributeError:
        # An exception of somebody else's that takes no attributes.
        return
    if sys.version_info >= (3, 11) and rows > 0:
        error.add_note(_note(rows, journal))


def _note(rows: int, journal: str | None) -> str:
    done = "1 other row is done" if rows == 1 else f"{rows} other rows are done"
    if journal is not None:
        return f"{done}: this exception's `outcomes` has them, and the same call goes on from the journal `{journal}`"
    return f"{done}: this exception's `outcomes` has them; with `journal=PATH` the same call would go on from there"
