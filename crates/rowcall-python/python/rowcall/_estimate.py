"""What asking about rows would take, as far as that can be known without asking."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _shown, _table

if TYPE_CHECKING:
    from ._rowcall import Core, Estimating


class Estimate(NamedTuple):
    """What asking once about each row would take, at the prices of now. Re-asks and what a model thinks before it answers come on top;
    docs/cost.md says how far off it may be. Amounts are US dollars, `None` where no price is known."""

    rows: int
    """All rows."""
    asked: int
    """Of these, rows that would be asked about; all that follows is for them."""
    equal: int
    """Rows that share the answer of an equal row before them."""
    cached: int
    """Rows whose answers are in the cache."""
    unaskable: int
    """Rows that cannot be asked about, such as those without a field that the prompt uses."""
    input_tokens: int
    """Tokens of all prompts."""
    output_tokens: int
    """Tokens of all answers, about."""
    output_tokens_low: int
    """They are hardly less."""
    output_tokens_high: int
    """They are hardly more."""
    cost: float | None
    """US dollars, about."""
    cost_low: float | None
    """It is hardly less."""
    cost_high: float | None
    """It is hardly more."""
    cost_at_most: float | None
    """It cannot be more if nothing is asked twice."""
    cost_at_dearest: float | None
    """What it would be at the dearest time of the next 24 hours."""
    cost_by_batch: float | None
    """What it would be by the provider's price for batches, as with `batch=True`."""
    counting: str
    """How tokens of prompts are counted: by an approximation of OpenAI's encoding, or as a quarter of the bytes (the simulator's way)."""

    def _repr_html_(self) -> str:
        def dollars(amount: float | None) -> str:
            return "unknown" if amount is None else _shown.dollars(amount)

        shown = [
            ("rows", f"{self.asked:,} to ask, {self.equal:,} equal, {self.cached:,} in the cache, {self.unaskable:,} cannot be asked"),
            ("tokens in", f"about {self.input_tokens:,}, by {self.counting}"),
            ("tokens out", f"about {self.output_tokens:,} ({self.output_tokens_low:,} to {self.output_tokens_high:,})"),
            ("cost", f"about {dollars(self.cost)} ({dollars(self.cost_low)} to {dollars(self.cost_high)})"),
            ("at most", f"{dollars(self.cost_at_most)} if nothing is asked twice"),
            ("at the dearest time", dollars(self.cost_at_dearest)),
            ("by batch", dollars(self.cost_by_batch)),
        ]
        return _shown.rows("rowcall.Estimate", shown)


def estimate(core: Core, rows: Any) -> Estimate:
    """What rows, or those of a table, would take.

    Raises:
        TypeError: for what is neither rows nor a table.
    """
    estimating: Estimating = core.estimating()
    if _table.is_table(rows):
        part = _table.part(rows, None, "ask")
        core.estimate_table(estimating, _table.exported(part.table, core.needed)[0])
    elif isinstance(rows, (str, bytes, Mapping)):
        raise TypeError(f"the rows are of type `{type(rows).__name__}`, expected a list or another iterable of rows")
    elif isinstance(rows, Iterable):
        for row in rows:
            estimating.add(row)
    elif isinstance(rows, AsyncIterable):
        raise TypeError("the rows are asynchronous, expected an iterable: an estimate reads them all at once")
    else:
        raise TypeError(f"the rows are of type `{type(rows).__qualname__}`, expected an iterable")
    return Estimate(**estimating.estimate())
