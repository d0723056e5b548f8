"""Outcomes of many rows, one by one or in batches, for a thread or for an event loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from . import _loop, _shown
from ._feed import Feed, Rows
from ._progress import Bar, Nothing, bar, beside
from ._rowcall import Call, Feeder
from ._steering import Steered
from ._warnings import warn

if TYPE_CHECKING:
    import asyncio
    from types import TracebackType

    from ._rowcall import Outcome
    from ._stats import Stats

T_co = TypeVar("T_co", covariant=True)


class Outcomes(Steered, Generic[T_co]):
    """Outcomes as they arrive: an iterator for `async for` and for `for`. Rows are read only as fast as they are processed, so memory
    stays bounded for any number of rows. Leaving the loop early, or dropping the iterator, cancels the requests."""

    def __init__(
        self, start: Callable[[Feeder], Call], rows: Rows, progress: bool, name: str, stats: Callable[[], Stats], *, keeps: bool = False
    ) -> None:
        self._start, self._rows, self._keeps = start, rows, keeps
        self._shown = (progress, name, stats)
        self._feed: Feed | None = None
        self._call: Call | None = None
        self._bar: Bar = Nothing()
        self._ready: deque[Outcome[T_co]] = deque()
        self._is_over = False
        self._changes: list[str] = []
        self._beginning = threading.Lock()

    def _begin(self, loop: asyncio.AbstractEventLoop | None) -> Call | None:
        """The current call, started if necessary; `None` once it is over. `loop` is the caller's event loop."""
        with self._beginning:
            if self._call is None and not self._is_over:
                feed = Feed(self._rows, loop)
                self._rows, self._feed = (), feed
                try:
                    self._call = self._start(feed.feeder)
                    for changes in self._changes:
                        self._call.adjust(changes)
                except BaseException:
                    self.close()
                    raise
                progress, name, stats = self._shown
                if progress:
                    self._bar = bar(progress, feed.total, name, beside(self._call, stats))
            if loop is None and self._feed is not None and self._feed.needs(_loop.running()):
                raise TypeError("the rows are asynchronous, and a loop without `async` would block the event loop that reads them")
            return self._call

    def _take(self, call: Call) -> list[Outcome[T_co]] | None:
        feed = self._feed
        try:
            taken = call.take()
            warn(call.warnings())
        except BaseException:
            self.close()
            if feed is not None and feed.error is not None:
                raise feed.error from None
            raise
        if taken is None:
            self.close()
        elif taken:
            self._bar.update(len(taken))
        return taken

    def _batch(self) -> list[Outcome[T_co]] | None:
        """Waits for outcomes, for a thread; `None` at the end."""
        while (call := self._begin(None)) is not None:
            taken = self._take(call)
            if taken or taken is None:
                return taken
            try:
                call.wait()
            except BaseException:
                self.close()
                raise
        return None

    async def _async_batch(self) -> list[Outcome[T_co]] | None:
        """Waits for outcomes, for an event loop; `None` at the end. Cancelling the wait loses nothing."""
        while (call := self._begin(_loop.running())) is not None:
            # Let other tasks run between batches, however fast outcomes arrive.
            await _loop.turn()
            taken = self._take(call)
            if taken or taken is None:
                return taken
            await _loop.wait(call)
        return None

    def batches(self) -> Iterator[list[Outcome[T_co]]]:
        """The outcomes in batches of what was ready, for a thread."""
        try:
            while (taken := self._batch()) is not None:
                yield taken
        finally:
            self.close()

    async def async_batches(self) -> AsyncIterator[list[Outcome[T_co]]]:
        """The outcomes in batches of what was ready, for an event loop."""
        try:
            while (taken := await self._async_batch()) is not None:
                yield taken
        finally:
            self.close()

    def __aiter__(self) -> Outcomes[T_co]:
        return self

    async def __anext__(self) -> Outcome[T_co]:
        while not self._ready:
            taken = await self._async_batch()
            if taken is None and not self._ready:
                raise StopAsyncIteration
            self._ready.extend(taken or ())
        return self._ready.popleft()

    def __iter__(self) -> Outcomes[T_co]:
        return self

    def __next__(self) -> Outcome[T_co]:
        while True:
            try:
                # Other threads may take from it at the same time.
                return self._ready.popleft()
            except IndexError:
                pass
            taken = self._batch()
            if taken is None and not self._ready:
                raise StopIteration
            self._ready.extend(taken or ())

    def __await__(self) -> NoReturn:
        raise TypeError("outcomes cannot be awaited: iterate over them with `async for done in extractor.as_completed(rows)`, or use `await extractor.gather(rows)` for all values")

    def _adjust(self, changes: str) -> None:
        with self._beginning:
            if self._call is not None:
                self._call.adjust(changes)
            elif not self._is_over:
                # They are made when the call begins.
                self._changes.append(changes)

    def _repr_html_(self) -> str:
        """A table for notebooks: the progress."""
        call, (_, name, _) = self._call, self._shown
        if call is None:
            return _shown.rows("rowcall.Outcomes", [("values", name), ("state", "over" if self._is_over else "not begun")])
        done, failed, in_all = call.progress()
        of = "" if in_all is None else f" of {in_all:,}"
        return _shown.rows("rowcall.Outcomes", [("values", name), ("state", "paused" if call.is_paused() else "under way"), ("rows", f"{done:,}{of}, {failed:,} failed")])

    def close(self) -> None:
        """Cancels the requests in flight."""
        self._is_over = True
        if self._call is not None:
            if self._keeps:
                self._rescue(self._call)
            self._call.cancel()
        if self._feed is not None:
            self._feed.stop()
        self._call, self._feed = None, None
        shown, self._bar = self._bar, Nothing()
        shown.close()

    def _rescue(self, call: Call) -> None:
        """Keeps the outcomes that are ready but were not taken."""
        try:
            while taken := call.take():
                self._ready.extend(taken)
        except Exception:
            # Another error is being reported already.
            pass

    def left(self) -> list[Outcome[T_co]]:
        """The outcomes that were ready but not taken, once it is closed."""
        left = list(self._ready)
        self._ready.clear()
        return left

    def __enter__(self) -> Outcomes[T_co]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Outcomes[T_co]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_is_over", True):
            self.close()


class Gathered:
    """Collects outcomes as they arrive, by the position of their rows, and returns their values at the end."""

    def __init__(self, return_exceptions: bool) -> None:
        self.return_exceptions = return_exceptions
        self.found: list[Outcome[Any] | None] = []

    def add(self, outcomes: list[Outcome[Any]]) -> None:
        """Stores them by position. Raises the first failure, unless exceptions are to be returned."""
        found = self.found
        outcome = failed = None
        try:
            for outcome in outcomes:
                index = outcome.index
                if index >= len(found):
                    found.extend([None] * (index + 1 - len(found)))
                if outcome.ok or self.return_exceptions:
                    found[index] = outcome
                elif failed is None:
                    failed = outcome
            if failed is not None:
                _ = failed.value
        finally:
            # Avoid a reference cycle: the exception's traceback refers to these variables.
            outcome = failed = None
            outcomes.clear()

    def values(self) -> list[Any]:
        """The values, with exceptions for failed rows."""
        return [None if found is None else found.value if found.ok else found.error for found in self.found]

    def kept(self, outcomes: Outcomes[Any]) -> list[Outcome[Any]]:
        """The finished outcomes of a call that ended early."""
        self.return_exceptions = True
        for outcome in outcomes.left():
            self.add([outcome])
        return [found for found in self.found if found is not None]
