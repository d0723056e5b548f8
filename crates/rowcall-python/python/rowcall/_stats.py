"""Statistics of all calls of an extractor."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import _shown


class Reason(NamedTuple):
    """Why rows failed, and how many."""

    kind: str
    """The kind of the failure."""
    message: str
    """The message of the example. Messages that differ only in numbers and quoted words count as one."""
    rows: int
    """How many rows failed for this reason."""
    example: int
    """The first of these rows, counted from 0."""


class Stats(NamedTuple):
    """What the engine counts from its events. Rows are those of this process; with a journal, requests and tokens include those of
    earlier runs."""

    taken: int = 0
    """Rows read from the source."""
    done: int = 0
    """Rows that ended with a value."""
    failed: dict[str, int] = {}
    """Rows that ended without one, by kind."""
    known: int = 0
    """Of the ended rows, those that were not asked about because their outcomes were known."""
    duplicates: int = 0
    """Of the known rows, those that share the answer of an equal row in the same call."""
    cached: int = 0
    """Of the known rows, those whose values come from the cache."""
    abandoned: int = 0
    """Rows that were read but not finished because their call was cancelled."""
    requests: int = 0
    """Requests sent."""
    in_flight: int = 0
    """Of these, those without a response yet."""
    reasks: int = 0
    """Prompts sent again after an invalid answer."""
    faults: dict[str, int] = {}
    """Requests that failed, by kind."""
    waits: dict[str, int] = {}
    """Requests that had to wait before they were sent, by cause."""
    waited: dict[str, float] = {}
    """Seconds for which requests were held back, by the cause for the next one sent. A second counts once however many requests wait,
    so the sum is at most `elapsed`."""
    input_tokens: int = 0
    """Tokens of all prompts."""
    cached_tokens: int = 0
    """Of these, read from the provider's prompt cache."""
    cache_write_tokens: int = 0
    """Of these, written to the provider's prompt cache."""
    output_tokens: int = 0
    """Tokens of all answers, reasoning included."""
    reasoning_tokens: int = 0
    """Of these, spent on reasoning."""
    cost: float = 0.0
    """US dollars that all requests cost, as far as known."""
    cost_unknown: int = 0
    """Requests that may have cost an unknown amount: lost answers, no tokens reported, no price known."""
    cost_at_most: float | None = 0.0
    """An upper bound for the cost of all requests in US dollars; `None` if unknown."""
    unmetered: int = 0
    """Requests that may have been billed but reported no tokens."""
    possibly_paid: int = 0
    """Rows that earlier runs had asked about without recording an outcome."""
    latency_p50: float | None = None
    """Median latency of answered requests, in seconds."""
    latency_p99: float | None = None
    """99th percentile of the latency of answered requests, in seconds."""

    reasons: tuple[Reason, ...] = ()
    """Failed rows by message, the most common first."""
    elapsed: float = 0.0
    """Seconds during which at least one row was in progress, in any call."""
    left: int | None = None
    """Rows that the running calls have left; `None` if no call is running, or one does not know its number of rows."""
    eta: float | None = None
    """Seconds until the running calls are done, at their rates so far; `None` where `left` is, and before the first row is done."""
    waits_now: str | None = None
    """What the latest request waited for, if it had to wait."""
    retried: int = 0
    """Rows that failed and were asked about again in the same call; they count as they ended last."""
    paused: bool = False
    """Whether the call that was paused or resumed last is paused."""
    notes: tuple[str, ...] = ()
    """What the server rejected in requests and what is sent instead, such as a parameter that was dropped."""

    def __repr__(self) -> str:
        # Skip empty fields.
        fields = ((name, getattr(self, name)) for name in self._fields)
        return f"Stats({', '.join(f'{name}={_shown.short(repr(value))}' for name, value in fields if value)})"

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        return _shown.rows("rowcall", self._lines())

    def _lines(self) -> list[tuple[str, str]]:
        failed = f", {self.failures:,} failed ({_shown.counts(self.failed)})" if self.failures else ""
        cached = f" ({self.cached:,} from the cache)" if self.cached else ""
        known = f", {self.known:,} of them known{cached}" if self.known else ""
        left = f", about {_shown.seconds(self.eta)} left for {self.left:,} rows" if self.eta is not None and self.left else ""
        lines = [
            ("rows", f"{self.done:,} done{failed}{known}"),
            ("time", f"{_shown.seconds(self.elapsed)}, {self.rows_per_second:,.1f} rows/s{left}"),
            ("requests", f"{self.requests:,}, {self.in_flight:,} in flight, {self.reasks:,} re-asks"),
            ("tokens", f"{self.input_tokens:,} in ({self.cached_tokens:,} cached), {self.output_tokens:,} out"),
        ]
        unknown = f", plus the unknown cost of {self.cost_unknown:,} requests" if self.cost_unknown else ""
        lines += [("cost", f"{_shown.dollars(self.cost)}{unknown}")] if self.cost or unknown else []
        if self.latency_p50 is not None and self.latency_p99 is not None:
            lines.append(("latency", f"{self.latency_p50:.2f} s (median), {self.latency_p99:.2f} s (99 %)"))
        waited = sorted(self.waited.items(), key=lambda found: -found[1])
        lines += [("waited for", f"{name}: {_shown.seconds(time)}, {self.waits.get(name, 0):,} requests") for name, time in waited]
        lines += [("faults", _shown.counts(self.faults))] if self.faults else []
        lines += [("bound by", self.waits_now)] if self.waits_now else []
        lines += [("note", note) for note in self.notes]
        lines += [(f"{reason.rows:,} × {reason.kind}", _shown.short(reason.message)) for reason in self.reasons[:5]]
        return lines

    @property
    def rows_per_second(self) -> float:
        """Rows that ended per second of `elapsed`."""
        return self.ended / self.elapsed if self.elapsed else 0.0

    @property
    def failures(self) -> int:
        """Rows that ended without a value."""
        return sum(self.failed.values())

    @property
    def ended(self) -> int:
        """Rows that ended, with or without a value."""
        return self.done + self.failures

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens


def stats(counts: dict[str, Any]) -> Stats:
    """The statistics as the engine reports them."""
    reasons = tuple(Reason(*reason) for reason in counts["reasons"])
    return Stats(**{**counts, "reasons": reasons, "notes": tuple(counts["notes"])})
