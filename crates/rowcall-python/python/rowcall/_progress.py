"""How far a call has come, on stderr: by tqdm or rich if one is installed, else by our own line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from types import TracebackType

EVERY = 0.1
"""Seconds between two looks at how far a call has come."""


class Bar(Protocol):
    """Shows how many rows have ended."""

    def update(self, rows: int, /) -> object:
        """So many more rows have ended."""
        ...

    def close(self) -> object:
        """No more will."""
        ...


class Nothing:
    """Shows nothing."""

    def update(self, rows: int, /) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Line:
    """Our own line: redrawn on a terminal, printed once at the end elsewhere."""

    def __init__(self, total: int | None, name: str, bound: Callable[[], str] = lambda: "") -> None:
        self.total, self.name, self.rows, self.bound = total, name, 0, bound
        self.started = time.monotonic()
        self.drawn = 0.0
        self.is_terminal = sys.stderr.isatty()

    def update(self, rows: int, /) -> None:
        """Draws, if it is time."""
        self.rows += rows
        now = time.monotonic()
        if self.is_terminal and now - self.drawn >= EVERY:
            self.drawn = now
            self._draw("\r")

    def close(self) -> None:
        """Draws for the last time."""
        self._draw("\r" if self.is_terminal else "")
        print(file=sys.stderr)

    def _draw(self, start: str) -> None:
        seconds = max(time.monotonic() - self.started, 1e-9)
        of = "" if self.total is None else f" of {self.total:,}"
        line = f"{start}{self.name}: {self.rows:,}{of} rows, {self.rows / seconds:,.0f} rows/s"
        beside = self.bound()
        line += f", {beside}" if beside else ""
        print(line, end="", file=sys.stderr, flush=True)


class _Rich:
    def __init__(self, total: int | None, name: str) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self.progress = Progress(console=Console(stderr=True))
        self.task = self.progress.add_task(name, total=total)
        self.progress.start()

    def update(self, rows: int, /) -> None:
        self.progress.advance(self.task, rows)

    def close(self) -> None:
        self.progress.stop()


class _Tqdm:
    def __init__(self, total: int | None, name: str, bound: Callable[[], str]) -> None:
        from tqdm.auto import tqdm  # type: ignore[import-untyped,unused-ignore]

        self.shown: Any = tqdm(total=total, desc=name, unit=" rows")
        self.bound, self.looked = bound, 0.0

    def update(self, rows: int, /) -> None:
        now = time.monotonic()
        if now - self.looked >= EVERY:
            self.looked = now
            self.shown.set_postfix_str(self.bound(), refresh=False)
        self.shown.update(rows)

    def close(self) -> None:
        self.shown.set_postfix_str(self.bound())
        self.shown.close()


def is_wanted(progress: bool | None) -> bool:
    """Whether a bar is wanted: where nothing is said, on a terminal and in a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules if progress is None else progress


def bar(wanted: bool, total: int | None, name: str, bound: Callable[[], str] = lambda: "") -> Bar:
    """A progress bar for a call over `total` rows, if one is wanted. `bound` returns what is shown beside it."""
    if not wanted:
        return Nothing()
    if find_spec("tqdm") is not None:
        return _Tqdm(total, name, bound)
    if find_spec("rich") is not None:
        return _Rich(total, name)
    return Line(total, name, bound)


class Counted:
    """A bar that follows a count of rows which others keep."""

    def __init__(self, count: Callable[[], int], shown: Bar) -> None:
        self.count, self.shown, self.last = count, shown, count()

    def look(self) -> None:
        """Shows how many have ended since the last look."""
        count = self.count()
        self.shown.update(count - self.last)
        self.last = count

    def __enter__(self) -> Counted:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.look()
        self.shown.close()
