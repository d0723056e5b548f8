"""The progress of a call, on stderr: with tqdm or rich if one is installed, otherwise as a line of our own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from . import _shown

if TYPE_CHECKING:
    from types import TracebackType

    from ._rowcall import Call
    from ._stats import Stats

EVERY = 0.1
"""Seconds between two updates of the progress."""


class Bar(Protocol):
    """Shows how many rows have ended."""

    def update(self, rows: int, /) -> object:
        """`rows` more rows have ended."""
        ...

    def expect(self, rows: int, /) -> object:
        """There are `rows` rows in total."""
        ...

    def close(self) -> object:
        """No more rows will end."""
        ...


class Nothing:
    """Shows nothing."""

    def update(self, rows: int, /) -> None:
        """Does nothing."""

    def expect(self, rows: int, /) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


class Line:
    """A line of text: redrawn on a terminal, printed once at the end elsewhere."""

    def __init__(self, total: int | None, name: str, beside: Callable[[], str] = lambda: "") -> None:
        self.total, self.name, self.rows, self.beside = total, name, 0, beside
        self.started = time.monotonic()
        self.drawn = 0.0
        self.is_terminal = sys.stderr.isatty()

    def update(self, rows: int, /) -> None:
        """Redraws if the last time is long enough ago."""
        self.rows += rows
        now = time.monotonic()
        if self.is_terminal and now - self.drawn >= EVERY:
            self.drawn = now
            self._draw("\r")

    def expect(self, rows: int, /) -> None:
        """Stores the total."""
        self.total = rows

    def close(self) -> None:
        """Draws the final state."""
        self._draw("\r" if self.is_terminal else "")
        print(file=sys.stderr)

    def _draw(self, start: str) -> None:
        seconds = max(time.monotonic() - self.started, 1e-9)
        share = f"{self.rows / self.total:.0%} | " if self.total else ""
        of = "" if self.total is None else f" of {self.total:,}"
        line = f"{start}{self.name}: {share}{self.rows:,}{of} rows | {self.rows / seconds:,.0f} rows/s"
        beside = self.beside()
        line += f" | {beside}" if beside else ""
        print(line, end="", file=sys.stderr, flush=True)


class _Rich:
    def __init__(self, total: int | None, name: str, beside: Callable[[], str]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[beside]}"))
        self.progress = Progress(*columns, console=Console(stderr=True))
        self.task = self.progress.add_task(name, total=total, beside="")
        self.beside, self.looked = beside, 0.0
        self.progress.start()

    def update(self, rows: int, /) -> None:
        now = time.monotonic()
        if now - self.looked >= EVERY:
            self.looked = now
            self.progress.update(self.task, beside=self.beside())
        self.progress.advance(self.task, rows)

    def expect(self, rows: int, /) -> None:
        self.progress.update(self.task, total=rows)

    def close(self) -> None:
        self.progress.update(self.task, beside=self.beside())
        self.progress.stop()


class _Tqdm:
    def __init__(self, total: int | None, name: str, beside: Callable[[], str]) -> None:
        from tqdm.auto import tqdm  # type: ignore[import-untyped,unused-ignore]

        self.shown: Any = tqdm(total=total, desc=name, unit=" rows")
        self.beside, self.looked = beside, 0.0

    def update(self, rows: int, /) -> None:
        now = time.monotonic()
        if now - self.looked >= EVERY:
            self.looked = now
            self.shown.set_postfix_str(self.beside(), refresh=False)
        self.shown.update(rows)

    def expect(self, rows: int, /) -> None:
        self.shown.total = rows
        # A notebook's bar fixes its maximum when it is created.
        if hasattr(self.shown, "container") and hasattr(self.shown.container, "children"):
            for part in self.shown.container.children:
                if hasattr(part, "max"):
                    part.max = rows

    def close(self) -> None:
        self.shown.set_postfix_str(self.beside())
        self.shown.close()


def is_wanted(progress: bool | None) -> bool:
    """Whether to show a bar. Default: on a terminal and in a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules if progress is None else progress


def bar(wanted: bool, total: int | None, name: str, beside: Callable[[], str] = lambda: "") -> Bar:
    """A progress bar for a call over `total` rows, if wanted. `beside` returns the text shown next to it."""
    if not wanted:
        return Nothing()
    if find_spec("tqdm") is not None:
        return _Tqdm(total, name, beside)
    if find_spec("rich") is not None:
        return _Rich(total, name, beside)
    return Line(total, name, beside)


def beside(call: Call, stats: Callable[[], Stats]) -> Callable[[], str]:
    """The text next to the bar of a call that starts now: its failures, the cost of all calls, and what requests wait for."""
    first = stats()

    def text() -> str:
        now = stats()
        failed = call.progress()[1]
        parts = [f"{failed:,} failed"] if failed else []
        if now.cost:
            asked = (now.ended - now.known) - (first.ended - first.known)
            in_all = now.cost + (now.cost - first.cost) / asked * now.left if asked and now.left else None
            parts.append(_shown.dollars(now.cost) + ("" if in_all is None else f" of ~{_shown.dollars(in_all)}"))
        if now.waits_now:
            parts.append(f"bound by: {now.waits_now}")
        return " | ".join(parts)

    return text


class Counted:
    """A bar that follows the counts of a call."""

    def __init__(self, call: Call, shown: Bar) -> None:
        self.call, self.shown, self.last = call, shown, 0
        self.in_all: int | None = None

    def look(self) -> None:
        """Adds the rows that have ended since the last update."""
        done, _, in_all = self.call.progress()
        if in_all is not None and in_all != self.in_all:
            self.in_all = in_all
            self.shown.expect(max(in_all, done))
        self.shown.update(done - self.last)
        self.last = done

    def __enter__(self) -> Counted:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.look()
        self.shown.close()
