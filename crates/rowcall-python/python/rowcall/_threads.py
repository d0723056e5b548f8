"""Threads that work for calls: one that validates, one for each iterable that is read, one for events. All end before the
interpreter does: a thread that came back to an interpreter that is gone would take the process down."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable

from ._rowcall import Validator

_END = 2.0
"""Seconds that a thread is waited for at the end; it may be stuck in the user's own code."""

_running: dict[threading.Thread, Callable[[], None]] = {}
_here = threading.local()
_validators: dict[int, Validator] = {}


def start(name: str, work: Callable[[], None], stop: Callable[[], None]) -> threading.Thread:
    """Does `work` on a thread. `stop` makes it end."""

    def carry_out() -> None:
        try:
            work()
        finally:
            _running.pop(thread, None)

    thread = threading.Thread(target=carry_out, name=f"rowcall-{name}", daemon=True)
    _running[thread] = stop
    thread.start()
    return thread


def validator() -> Validator:
    """The queue of the thread that validates for calls made on this thread. Validation may itself ask a model: that call's
    values are validated by a thread of their own, or both would wait for each other."""
    depth: int = getattr(_here, "depth", 0)
    found = _validators.get(depth)
    if found is None:
        found = _validators[depth] = Validator()
        queue = found

        def serve() -> None:
            _here.depth = depth + 1
            queue.serve()

        start(f"validation-{depth}", serve, queue.close)
    return found


def _stop() -> None:
    running = list(_running.items())
    for _, stop in running:
        stop()
    for thread, _ in running:
        if thread is not threading.current_thread():
            thread.join(_END)


def _forget() -> None:
    # A forked child has none of its parent's threads.
    _running.clear()
    _validators.clear()


atexit.register(_stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
