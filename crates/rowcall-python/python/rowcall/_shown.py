"""Formats objects for display: short lines at a prompt, tables in a notebook. The counts come from elsewhere."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._rowcall import Outcome

_MOST = 120
"""The most characters of a text that are shown."""

_LEFT = "style='text-align:left'"

_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, and characters that change the direction of text, which could mislead a reader."""


def short(text: str) -> str:
    """The text, truncated if it is long."""
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def rows(title: str, found: Iterable[tuple[str, Any]]) -> str:
    """A table of names and their values, as HTML."""
    head = "style='text-align:left;white-space:nowrap'"
    lines = "".join(f"<tr><th {head}>{escaped(name)}</th><td {_LEFT}>{escaped(str(value))}</td></tr>" for name, value in found)
    return f"<table><caption>{escaped(title)}</caption>{lines}</table>"


def table(title: str, names: Sequence[str], found: Iterable[Sequence[Any]]) -> str:
    """A table with columns of these names, as HTML."""
    head = "".join(f"<th {_LEFT}>{escaped(name)}</th>" for name in names)
    cells = ("".join(f"<td {_LEFT}>{escaped('' if cell is None else short(str(cell)))}</td>" for cell in line) for line in found)
    lines = "".join(f"<tr>{line}</tr>" for line in cells)
    return f"<table><caption>{escaped(title)}</caption><tr>{head}</tr>{lines}</table>"


def escaped(text: str) -> str:
    """The text with HTML's special characters escaped, and those written out that would mislead a reader."""
    text = _HARMFUL.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def counts(found: dict[str, int]) -> str:
    """Counts by name, such as `3 invalid, 1 refusal`."""
    return ", ".join(f"{count:,} {name}" for name, count in found.items())


def dollars(amount: float) -> str:
    """An amount in US dollars, with enough digits to be visible."""
    if amount >= 1 or amount == 0:
        return f"${amount:,.2f}"
    # At least two digits that are not zero.
    places = max(4, min(12, 1 - math.floor(math.log10(abs(amount)))))
    return f"${amount:.{places}f}"


def seconds(time: float) -> str:
    """A duration, such as `3.2 s` or `1:02:03`."""
    if time < 60:
        return f"{time:,.1f} s"
    minutes, rest = divmod(round(time), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def outcome(done: Outcome[Any]) -> str:
    """An outcome as HTML."""
    usage = done.usage
    found: list[tuple[str, Any]] = [("row", done.index)]
    if done.row is not None:
        found.append(("given", short(repr(done.row))))
    found.append(("value", short(repr(done.value))) if done.error is None else ("error", short(str(done.error))))
    found += [
        ("requests", f"{done.attempts}, {done.prompts} prompt{'' if done.prompts == 1 else 's'}, {done.latency:.2f} s"),
        ("tokens", f"{usage.input_tokens:,} in, {usage.output_tokens:,} out"),
    ]
    if done.cost or done.cost_unknown:
        known = dollars(done.cost) if done.cost else "unknown"
        found.append(("cost", f"at least {known}" if done.cost and done.cost_unknown else known))
    if done.repairs:
        found.append(("repaired", ", ".join(done.repairs)))
    return rows("rowcall.Outcome", found)
