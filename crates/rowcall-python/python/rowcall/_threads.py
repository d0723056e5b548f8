"""Threads for calls: those that validate, one for each iterable, one for events. All end before the interpreter does: a thread that
returned to a finalized interpreter would crash the process."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable

from ._errors import Error
from ._rowcall import Validator

_END = 2.0
"""Seconds to wait for all threads at the end; they may be stuck in the user's own code."""

_running: dict[threading.Thread, Callable[[], None]] = {}
_validator: Validator | None = None
_has_ended = False


def start(name: str, work: Callable[[], None], stop: Callable[[], None]) -> threading.Thread:
    """Runs `work` on a thread. `stop` makes it end.

    Raises:
        Error: if the interpreter is ending.
    """
    _check_open()

    def carry_out() -> None:
        try:
            work()
        finally:
            _running.pop(thread, None)

    thread = threading.Thread(target=carry_out, name=f"rowcall-{name}", daemon=True)
    _running[thread] = stop
    try:
        thread.start()
    except BaseException:
        del _running[thread]
        raise
    return thread


def validator() -> Validator:
    """The queue of the threads that validate. When one blocks, such as when a validator calls a model itself, another takes over. They
    are few, and reused."""
    global _validator
    _check_open()
    if _validator is None:
        queue = Validator()

        def begin() -> None:
            start("validation", lambda: queue.serve(begin), queue.close)

        begin()
        _validator = queue
    return _validator


def _check_open() -> None:
    if _has_ended:
        raise Error("the interpreter is shutting down and cannot run calls any more", hint="make calls before the program ends")


def _stop() -> None:
    global _has_ended
    _has_ended = True
    running = list(_running.items())
    for _, stop in running:
        stop()
    until = time.monotonic() + _END
    for thread, _ in running:
        if thread is not threading.current_thread():
            thread.join(max(until - time.monotonic(), 0))


def _forget() -> None:
    # A forked child has none of its parent's threads.
    global _validator
    _running.clear()
    _validator = None


atexit.register(_stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
