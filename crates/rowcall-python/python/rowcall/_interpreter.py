"""Rejects subinterpreters before Python 3.12, which would load the engine into them. Later versions reject it themselves."""

from __future__ import annotations

import sys

if sys.version_info < (3, 12):
    try:
        from _xxsubinterpreters import get_current, get_main  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        pass
    else:
        if get_current() != get_main():
            raise ImportError("rowcall does not work in a subinterpreter: its engine belongs to the process")
