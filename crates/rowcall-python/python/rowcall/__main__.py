"""The command `rowcall`, and `python -m rowcall`."""

from __future__ import annotations

import signal
import sys

from ._rowcall import command


def main() -> int:
    """Runs the command line with this process's arguments; returns the exit code."""
    # Python's handler would act on Ctrl-C only after the command has ended. Commands with an orderly shutdown listen for it
    # themselves.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return command(["rowcall", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
