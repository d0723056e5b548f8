"""Warnings, issued at the user's own call, once per extractor and message."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class RowcallWarning(UserWarning):
    """Something that differs from the request, such as a parameter that the server rejected; also in `stats.notes`."""


def warn(notices: Iterable[str]) -> None:
    """Issues each notice as a warning, at the first line outside this package."""
    for notice in notices:
        warnings.warn(notice, RowcallWarning, stacklevel=_level())


def _level() -> int:
    """The number of frames between `warn` and the user's code, skipping an event loop that runs the call as a task."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and _is_passed_over(frame.f_code.co_filename):
        frame, level = frame.f_back, level + 1
    return level


def _is_passed_over(file: str) -> bool:
    return file.startswith(_HERE) or f"{os.sep}asyncio{os.sep}" in file
