"""Feeds rows from any iterable into a call: small lists at once, everything else from a thread or, if it is asynchronous, from the
event loop, a bounded number of rows ahead of the engine."""

from __future__ import annotations

import contextvars
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Mapping, Sized
from typing import TYPE_CHECKING, Any, Union

from . import _loop, _table, _threads
from ._rowcall import Feeder

if TYPE_CHECKING:
    import asyncio

Rows = Union[Iterable[Any], AsyncIterable[Any]]
"""Strings, dicts, models or dataclasses: in a list, an iterable or an asynchronous iterable of any size."""

_AT_ONCE = 512
"""The longest list that is passed on without a thread, in rows."""

_ROWS_PER_TURN = 64
"""After this many rows of an asynchronous iterable that never waits, other tasks of the event loop run."""


class Feed:
    """Rows on their way into a call."""

    def __init__(self, rows: Rows, loop: asyncio.AbstractEventLoop | None) -> None:
        # These are iterable, but their items are not rows.
        if isinstance(rows, (str, bytes, Mapping)):
            raise TypeError(f"the rows are of type `{type(rows).__name__}`, expected a list or another iterable of rows; `extract` takes one row")
        if _table.is_table(rows):
            raise TypeError(f"the rows are a table of type `{type(rows).__name__}`, expected an iterable of rows; `map_table` takes tables")
        self.total = _length(rows)
        self.feeder = Feeder(self.total)
        self.error: BaseException | None = None
        self._loop = loop
        self._task: asyncio.Task[None] | None = None
        if isinstance(rows, (list, tuple)) and len(rows) <= _AT_ONCE:
            try:
                for row in rows:
                    self.feeder.offer(row)
            except TypeError:
                _close_coroutines(rows)
                raise
            self.feeder.end()
        elif isinstance(rows, AsyncIterable) and loop is not None:
            self._task = loop.create_task(self._pull(rows))
        elif isinstance(rows, Iterable):
            iterator = iter(rows)
            # The thread that reads them sees the caller's context variables.
            context = contextvars.copy_context()
            _threads.start("rows", lambda: context.run(self._push, iterator), self.feeder.desert)
        elif isinstance(rows, AsyncIterable):
            raise TypeError("the rows are asynchronous, expected an iterable: a method without asyncio would block the event loop that reads them")
        else:
            raise TypeError(f"the rows are of type `{type(rows).__qualname__}`, expected an iterable")

    def needs(self, loop: asyncio.AbstractEventLoop | None) -> bool:
        """Whether rows arrive only while this event loop runs."""
        return self._task is not None and not self._task.done() and self._loop is loop

    def _push(self, rows: Iterable[Any]) -> None:
        push = self.feeder.push
        try:
            for row in rows:
                if not push(row):
                    break
            self.feeder.end()
        except BaseException as error:
            self._fail(error)
        finally:
            if isinstance(rows, Generator):
                rows.close()

    async def _pull(self, rows: AsyncIterable[Any]) -> None:
        import asyncio

        offer, count = self.feeder.offer, 0
        try:
            async for row in rows:
                if not offer(row):
                    await _loop.wait(self.feeder)
                if not self.feeder.is_wanted():
                    break
                count += 1
                if count % _ROWS_PER_TURN == 0:
                    await asyncio.sleep(0)
            self.feeder.end()
        except asyncio.CancelledError as error:
            if self.feeder.is_wanted():
                self._fail(error)
            raise
        except BaseException as error:
            self._fail(error)
        finally:
            if isinstance(rows, AsyncGenerator):
                await rows.aclose()

    def _fail(self, error: BaseException) -> None:
        self.error = error
        self.feeder.fail(f"{type(error).__name__}: {error}")

    def stop(self) -> None:
        """Stops reading rows."""
        self.feeder.desert()
        if self._task is None or self._loop is None or self._task.done():
            return
        if _loop.running() is self._loop:
            self._task.cancel()
            return
        try:
            # A task may be cancelled only on the thread of its event loop.
            self._loop.call_soon_threadsafe(self._task.cancel)
        except RuntimeError:
            # Its event loop is closed, so the task has ended.
            pass


def _close_coroutines(rows: Any) -> None:
    """Closes coroutines passed as rows. An error reports them already, so Python need not warn that they were never awaited."""
    for row in rows:
        if hasattr(row, "cr_code"):
            row.close()


def _length(rows: Rows) -> int | None:
    try:
        return len(rows) if isinstance(rows, Sized) else None
    except Exception:
        # The length is used only for display.
        return None
