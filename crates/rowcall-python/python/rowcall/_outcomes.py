"""Outcomes of many rows, one by one or in batches, for a thread or for an event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import _loop
from ._feed import Feed, Rows
from ._progress import Bar, Nothing, bar
from ._rowcall import Call, Feeder

if TYPE_CHECKING:
    from types import TracebackType

    from ._rowcall import Outcome

T = TypeVar("T")


class Outcomes(Generic[T]):
    """Outcomes as they are released: an iterator for `async for` and for `for`. Rows are taken as there is room, so that memory
    stays bounded for any number of them. Leaving it before its end, or dropping it, cancels what is under way."""

    def __init__(self, start: Callable[[Feeder], Call], rows: Rows, progress: bool, name: str) -> None:
        self._start, self._rows = start, rows
        self._shown = (progress, name)
        self._feed: Feed | None = None
        self._call: Call | None = None
        self._bar: Bar = Nothing()
        self._ready: list[Outcome[T]] = []
        self._is_over = False

    def _begin(self) -> Call:
        if self._call is None:
            feed = Feed(self._rows)
            self._rows = ()
            self._feed = feed
            self._call = self._start(feed.feeder)
            progress, name = self._shown
            self._bar = bar(progress, feed.total, name)
        return self._call

    def _take(self, call: Call) -> list[Outcome[T]] | None:
        try:
            taken = call.take()
        except BaseException:
            feed = self._feed
            self.close()
            if feed is not None and feed.error is not None:
                raise feed.error from None
            raise
        if taken is None:
            self.close()
        elif taken:
            self._bar.update(len(taken))
        return taken

    def batches(self) -> Iterator[list[Outcome[T]]]:
        """The outcomes in lists of what was there at a time, for a thread."""
        try:
            while not self._is_over:
                call = self._begin()
                taken = self._take(call)
                if taken:
                    yield taken
                elif taken is not None:
                    call.wait()
        finally:
            self.close()

    async def async_batches(self) -> AsyncIterator[list[Outcome[T]]]:
        """The outcomes in lists of what was there at a time, for an event loop."""
        try:
            while not self._is_over:
                call = self._begin()
                await _loop.turn()
                taken = self._take(call)
                if taken:
                    yield taken
                elif taken is not None:
                    await _loop.wait(call)
        finally:
            self.close()

    def __aiter__(self) -> Outcomes[T]:
        return self

    async def __anext__(self) -> Outcome[T]:
        while not self._ready:
            if self._is_over:
                raise StopAsyncIteration
            call = self._begin()
            # However fast outcomes come, the others on the loop have their turn between two batches.
            await _loop.turn()
            taken = self._take(call)
            if taken:
                taken.reverse()
                self._ready = taken
            elif taken is not None:
                await _loop.wait(call)
        return self._ready.pop()

    def __iter__(self) -> Outcomes[T]:
        return self

    def __next__(self) -> Outcome[T]:
        while not self._ready:
            if self._is_over:
                raise StopIteration
            call = self._begin()
            taken = self._take(call)
            if taken:
                taken.reverse()
                self._ready = taken
            elif taken is not None:
                try:
                    call.wait()
                except BaseException:
                    self.close()
                    raise
        return self._ready.pop()

    def close(self) -> None:
        """Cancels what is under way."""
        self._is_over = True
        if self._call is not None:
            self._call.cancel()
        if self._feed is not None:
            self._feed.stop()
        self._call, self._feed = None, None
        shown, self._bar = self._bar, Nothing()
        shown.close()

    def __enter__(self) -> Outcomes[T]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Outcomes[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_is_over", True):
            self.close()


class Gathered:
    """Values, or exceptions in their place, as they come, in the places of their rows."""

    def __init__(self, return_exceptions: bool) -> None:
        self.return_exceptions = return_exceptions
        self.values: list[Any] = []

    def add(self, outcomes: list[Outcome[Any]]) -> None:
        """Puts them into their places; raises the first failure, unless failures are values."""
        values = self.values
        for outcome in outcomes:
            index = outcome.index
            if index >= len(values):
                values.extend([None] * (index + 1 - len(values)))
            values[index] = outcome.value if outcome.ok or not self.return_exceptions else outcome.error
