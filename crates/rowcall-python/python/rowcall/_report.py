"""The report of a journal, for a file or for a notebook."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Union

from . import _rowcall, _shown
from ._settings import path

_HEIGHT = "42rem"
"""How much of a notebook it takes."""


class Report:
    """The report of a journal: one HTML page that loads nothing. A notebook shows it inline."""

    def __init__(self, html: str) -> None:
        self.html = html

    def save(self, to: Union[str, os.PathLike[str]]) -> Path:
        """Writes the page to a file, and returns its path."""
        file = Path(to)
        file.write_text(self.html, encoding="utf-8")
        return file

    def __repr__(self) -> str:
        return f"<rowcall.Report of {len(self.html):,} characters: `save` writes it to a file>"

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that it neither changes the notebook nor is changed by it."""
        page = _shown.escaped(self.html)
        return f'<iframe title="rowcall report" sandbox="allow-scripts" style="width:100%;height:{_HEIGHT};border:0" srcdoc="{page}"></iframe>'


def report(journal: Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]) -> Report:
    """The report of a journal, also while a run writes to it: failures by reason with examples, a profile of each field, curves over time,
    costs, and a sample of rows. `rowcall report` on the command line makes the same.

    Raises:
        ConfigError: if there is no such journal.
    """
    return Report(_rowcall.report(str(path(journal))))
