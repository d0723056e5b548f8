"""What has happened so far, in all calls of an extractor."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import _shown


class Reason(NamedTuple):
    """Why rows failed, and how many."""

    kind: str
    """The kind of the failure."""
    message: str
    """What was said of the example; messages that differ only in figures and quoted words count as one."""
    rows: int
    """How many rows failed so."""
    example: int
    """The first of these rows, counted from 0."""


class Stats(NamedTuple):
    """Counted by the engine from every event. Rows are those of this process; requests and tokens go on from what the runs
    before have spent, if there is a journal."""

    taken: int = 0
    """Rows taken from the source."""
    done: int = 0
    """Rows that ended with a value."""
    failed: dict[str, int] = {}
    """Rows that ended without one, by kind."""
    known: int = 0
    """Of all these, rows that were not asked about, since their outcomes were known."""
    duplicates: int = 0
    """Of the known rows, those that share the answer of an equal row of the same call."""
    cached: int = 0
    """Of the known rows, those whose values come from the cache."""
    abandoned: int = 0
    """Rows that were taken and then given up because the call was."""
    requests: int = 0
    """Requests sent."""
    in_flight: int = 0
    """Of these, not answered yet."""
    reasks: int = 0
    """Prompts that asked again after an invalid answer."""
    faults: dict[str, int] = {}
    """Requests that failed, by kind."""
    waits: dict[str, int] = {}
    """Requests that had to wait before they could be sent, by what they waited for."""
    waited: dict[str, float] = {}
    """Seconds for which requests were held back, by what the next one that was sent had waited for. However many wait at once, a second
    is counted once: together these are no more than `elapsed`."""
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
    """US dollars that all requests cost, as far as that is known."""
    cost_unknown: int = 0
    """Requests that may have cost something, nobody knows how much: lost answers, no tokens reported, no price known."""
    cost_at_most: float | None = 0.0
    """US dollars that all requests cannot have cost more than; `None` if that is not known."""
    unmetered: int = 0
    """Requests that may have been billed but reported no tokens."""
    possibly_paid: int = 0
    """Rows that runs before had asked about without ever writing an outcome."""
    latency_p50: float | None = None
    """Seconds that half of the answered requests did not exceed."""
    latency_p99: float | None = None
    """Seconds that 99 of 100 answered requests did not exceed."""

    reasons: tuple[Reason, ...] = ()
    """Failed rows by what was said of them, the commonest first."""
    elapsed: float = 0.0
    """Seconds in which any row was under way, of all calls together."""
    left: int | None = None
    """Rows that the calls under way have still to do; `None` if no call is, or one does not know how many rows it has."""
    eta: float | None = None
    """Seconds until the calls under way are done, at their rates so far; `None` where `left` is, and before the first row is done."""
    waits_now: str | None = None
    """What the latest request had to wait for, if it had to."""
    notes: tuple[str, ...] = ()
    """What the server refused in its requests and how it is asked instead, such as a parameter that is not sent any more."""

    def __repr__(self) -> str:
        # What is nothing is left out.
        told = ((name, getattr(self, name)) for name in self._fields)
        return f"Stats({', '.join(f'{name}={_shown.short(repr(value))}' for name, value in told if value)})"

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
        unknown = f", and what {self.cost_unknown:,} requests cost" if self.cost_unknown else ""
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
        """Rows that ended for each second of `elapsed`."""
        return self.ended / self.elapsed if self.elapsed else 0.0

    @property
    def failures(self) -> int:
        """Rows that ended without a value."""
        return sum(self.failed.values())

    @property
    def ended(self) -> int:
        """Rows that ended, either way."""
        return self.done + self.failures

    @property
    def total_tokens(self) -> int:
        """Tokens in and out together."""
        return self.input_tokens + self.output_tokens


def stats(told: dict[str, Any]) -> Stats:
    """What the engine tells."""
    reasons = tuple(Reason(*reason) for reason in told["reasons"])
    return Stats(**{**told, "reasons": reasons, "notes": tuple(told["notes"])})
