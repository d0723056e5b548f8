"""What a run from file to file may be told, how that is passed on to the engine, and how its end is awaited."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union

from ._progress import EVERY, Counted
from ._settings import check_names

if TYPE_CHECKING:
    from ._rowcall import Call

Path = Union[str, "os.PathLike[str]"]
"""The name of a file."""


class FileOptions(TypedDict, total=False):
    """What is done about the files of a run."""

    journal: Path | bool
    """Where outcomes are kept: `OUTPUT.journal` for `True` or if left out, nowhere for `False`."""
    fresh: bool
    """Remove the journal and start over."""
    accept_changes: bool
    """Go on although the journal was made with another model, prompt, schema or parameters."""
    force: bool
    """Write over an output that has no journal."""
    into: str | None
    """A name for the whole value, in place of its fields beside the input's."""
    meta: bool
    """Add what each row took."""
    failed: Path | None
    """Write failed rows to this file as well, as JSON Lines."""
    order: Literal["input", "completed"]
    """Of the output: the input's if left out."""
    limit_rows: int | None
    """Stop after this many rows of the input."""
    input_format: str | None
    """The input's format, whatever its name."""
    output_format: str | None
    """The output's format, whatever its name."""
    progress: bool
    """Show how far it is, on stderr, as it does if left out."""


def told(input: Path, output: Path, options: FileOptions, has_journal: bool) -> str:
    """What the engine is told about a run over files, by an extractor that has a journal of its own or not."""
    check_names(options, FileOptions, "option of a run")
    # A journal of the extractor's own serves files as well.
    journal = False if has_journal else options.get("journal", True)
    kept: dict[str, Any] | None = None
    if journal is not False:
        path = f"{os.fspath(output)}.journal" if journal is True else os.fspath(journal)
        kept = {
            "path": path,
            "fresh": options.get("fresh", False),
            "accept_changes": options.get("accept_changes", False),
        }
    failed = options.get("failed")
    return json.dumps(
        {
            "input": os.fspath(input),
            "output": os.fspath(output),
            "input_format": options.get("input_format"),
            "output_format": options.get("output_format"),
            "journal": kept,
            "into": options.get("into"),
            "meta": options.get("meta", False),
            "failed": None if failed is None else os.fspath(failed),
            "in_input_order": options.get("order", "input") == "input",
            "limit_rows": options.get("limit_rows"),
            "force": options.get("force", False),
        }
    )


def carry_out(call: Call, shown: Counted) -> None:
    """Waits for the end of a run, showing how far it is. The first Ctrl-C halts it, the second gives it up."""
    interrupted: KeyboardInterrupt | None = None
    with shown:
        while True:
            try:
                if call.take() is None:
                    break
                call.wait(EVERY)
                shown.look()
            except KeyboardInterrupt as first:
                if interrupted is not None:
                    call.cancel()
                    raise
                interrupted = first
                call.halt()
    if interrupted is not None:
        raise interrupted
