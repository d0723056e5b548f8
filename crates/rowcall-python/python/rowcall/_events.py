"""Events for callbacks and lines for `logging`. Both come in batches from a Python thread, never from a thread of the engine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _threads
from ._rowcall import Events

if TYPE_CHECKING:
    import logging


class Event(NamedTuple):
    """Something that happened to a row."""

    row: int
    """The row's index."""
    kind: str
    """`taken`, `known`, `sent`, `answered`, `failed`, `waits`, `adapted`, `reasked`, `ended`, `abandoned`, `retried`, `resumed`,
    `probed`, `adjusted` or `warned`."""
    details: dict[str, Any]
    """Details by kind; docs/python.md lists them."""
    time: float = 0.0
    """When it happened, in seconds since 1970, like `time.time()`."""


Callback = Callable[[Event], object]


def watch(on_event: Callback | None) -> Events | None:
    """A queue whose events go to the callback and the log; `None` if neither uses them."""
    # Without an import of `logging` it is not configured either, and then nothing below a warning is shown.
    if on_event is None and "logging" not in sys.modules:
        return None
    import logging

    log = logging.getLogger("rowcall")
    if on_event is None and not log.isEnabledFor(logging.INFO):
        return None
    events = Events()

    def serve() -> None:
        while (batch := events.take()) is not None:
            for row, kind, details, time in batch:
                event = Event(row, kind, details or {}, time)
                _log(log, event)
                if on_event is not None:
                    try:
                        on_event(event)
                    except Exception:
                        # A failing callback must not fail the run.
                        log.exception("the callback for events raised at %r", event)

    _threads.start("events", serve, events.close)
    return events


def _log(log: logging.Logger, event: Event) -> None:
    row, kind, details, _ = event
    if kind == "answered":
        log.debug("row %d attempt %d: answered after %.3f s", row, details["attempt"], details["latency"])
    elif kind == "failed":
        log.info("row %d attempt %d: %s: %s", row, details["attempt"], details["fault"], details["message"])
    elif kind == "waits":
        log.info("row %d: retry in %.1f s", row, details["seconds"])
    elif kind == "adapted":
        log.info("%s", details["change"])
    elif kind == "reasked":
        log.info("row %d is asked again: %d violations", row, details["violations"])
    elif kind == "ended" and details["failure"] is not None:
        log.info("row %d failed: %s: %s", row, details["failure"], details["message"])
    elif kind == "resumed":
        log.info("resumed: %d rows are known", details["rows"])
