"""What is worth a warning: raised where the user's own code made the call, once for each extractor and thing to say."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class RowcallWarning(UserWarning):
    """Something that is not as it was asked for, such as a parameter that the server refused; also in `stats.notes`."""


def warn(notices: Iterable[str]) -> None:
    """Warns of each notice, at the first line that is not of this package."""
    for notice in notices:
        warnings.warn(notice, RowcallWarning, stacklevel=_level())


def _level() -> int:
    """How many frames lie between `warn` and the user's code, beyond an event loop if one runs a call as a task."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and _is_passed_over(frame.f_code.co_filename):
        frame, level = frame.f_back, level + 1
    return level


def _is_passed_over(file: str) -> bool:
    return file.startswith(_HERE) or f"{os.sep}asyncio{os.sep}" in file
