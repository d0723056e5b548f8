"""How a coroutine waits for the engine. Each event loop watches one socket, its bell. The engine rings it without taking the
interpreter's lock, once for any number of calls that have something ready."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from ._rowcall import Bell

if TYPE_CHECKING:
    import asyncio


class Listening(Protocol):
    """An object that can ring a bell."""

    def unlisten(self, number: int, /) -> None:
        """Stops ringing for `number`."""
        ...

    def listen(self, bell: Bell, number: int, /) -> bool:
        """Rings `bell` for `number` once something is ready; returns whether something already is."""
        ...


class _Ear:
    """The bell of one event loop, and the futures that wait for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.bell = Bell()
        self.waiting: dict[int, asyncio.Future[None]] = {}
        loop.add_reader(self.bell.fileno(), self.hear)

    def hear(self) -> None:
        for number in self.bell.take():
            future = self.waiting.pop(number, None)
            if future is not None and not future.done():
                future.set_result(None)


_ears: WeakKeyDictionary[asyncio.AbstractEventLoop, _Ear] = WeakKeyDictionary()
_numbers = itertools.count()


async def wait(listening: Listening, seconds: float | None = None) -> None:
    """Waits until `listening` has something ready, or for `seconds`. Cancelling the wait loses nothing."""
    # Imported here because programs without an event loop do not need it.
    import asyncio

    loop = asyncio.get_running_loop()
    ear = _ears.get(loop)
    if ear is None:
        ear = _ears[loop] = _Ear(loop)
    number = next(_numbers)
    if listening.listen(ear.bell, number):
        return
    future = ear.waiting[number] = loop.create_future()
    try:
        if seconds is None:
            await future
        else:
            await asyncio.wait((future,), timeout=seconds)
    finally:
        if ear.waiting.pop(number, None) is not None:
            listening.unlisten(number)


def running() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs on this thread, if any."""
    # Without the import, no event loop can be running.
    if "asyncio" not in sys.modules:
        return None
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def turn() -> None:
    """Lets other tasks of the event loop run."""
    import asyncio

    await asyncio.sleep(0)
