"""How what is to be looked at is shown: short lines at a prompt, tables in a notebook. What is counted is told elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_MOST = 120
"""Characters of a text that are shown."""


def short(text: str) -> str:
    """The text, cut where it is long."""
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def rows(title: str, found: Iterable[tuple[str, Any]]) -> str:
    """A table of names and what stands behind them, as HTML."""
    lines = "".join(f"<tr><th style='text-align:left'>{escaped(name)}</th><td>{escaped(str(value))}</td></tr>" for name, value in found)
    return f"<table><caption>{escaped(title)}</caption>{lines}</table>"


def escaped(text: str) -> str:
    """The text with what HTML would take for marks."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def counts(found: dict[str, int]) -> str:
    """Counts by name, as `3 invalid, 1 refusal`."""
    return ", ".join(f"{count:,} {name}" for name, count in found.items())
