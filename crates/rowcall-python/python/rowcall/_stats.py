"""What has happened so far, in all calls of an extractor."""

from __future__ import annotations

from typing import Any, NamedTuple


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
    waits_now: str | None = None
    """What the latest request had to wait for, if it had to."""
    notes: tuple[str, ...] = ()
    """What the server refused in its requests and how it is asked instead, such as a parameter that is not sent any more."""

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
