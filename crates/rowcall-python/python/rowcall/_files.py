"""From file to file: what the command `rowcall run` does, from Python."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Literal, Union

from ._progress import bar

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._extractor import Extractor, Settings
    from ._rowcall import Call
    from ._stats import Stats

Path = Union[str, "os.PathLike[str]"]
"""The name of a file."""

_EVERY = 0.1
"""Seconds between two looks at how far a run has come."""


def run(
    input: Path,
    output: Path,
    response: Any,
    *,
    model: str,
    prompt: str = "{{ text }}",
    journal: Path | bool = True,
    fresh: bool = False,
    accept_changes: bool = False,
    force: bool = False,
    into: str | None = None,
    meta: bool = False,
    failed: Path | None = None,
    order: Literal["input", "completed"] = "input",
    limit_rows: int | None = None,
    input_format: str | None = None,
    output_format: str | None = None,
    progress: bool = True,
    **settings: Unpack[Settings],
) -> Stats:
    """Asks about every row of a file and writes the outcomes to another: the input's fields, the value's, and `_error`.

    Every outcome is in the journal before it is in the output. After a crash, a kill or Ctrl-C the same call goes on: what is
    known is not asked again. The command line's `rowcall status`, `export` and `rerun` understand the journal.

    Args:
        input: CSV, TSV, JSON Lines, a JSON array or text (a row a line), also gzipped.
        output: JSON Lines or CSV. It is named `OUTPUT.part` until it is complete.
        response: What values are, as for `Extractor`.
        model: `PROVIDER/MODEL`, as for `Extractor`.
        prompt: A template over the input's fields.
        journal: Where outcomes are kept: `OUTPUT.journal` for `True`, nowhere for `False`.
        fresh: Remove the journal and start over.
        accept_changes: Go on although the journal was made with another model, prompt, schema or parameters.
        force: Write over an output that has no journal.
        into: A name for the whole value, in place of its fields beside the input's.
        meta: Add what each row took.
        failed: Write failed rows to this file as well, as JSON Lines.
        order: Of the output.
        limit_rows: Stop after this many rows of the input.
        input_format: The input's format, whatever its name.
        output_format: The output's format, whatever its name.
        progress: Show how far it is, on stderr.
        **settings: As for `Extractor`.

    Returns:
        What has happened. Failed rows are in the output, and counted in `failed`.

    Raises:
        Error: whatever stopped the run. What is done is in the journal and in `OUTPUT.part`.
        KeyboardInterrupt: after Ctrl-C, once the requests in flight have been awaited; a second Ctrl-C gives them up.
    """
    from ._extractor import Extractor

    extractor: Extractor[Any] = Extractor(response, model=model, prompt=prompt, **settings)
    return extractor.run(
        input,
        output,
        journal=journal,
        fresh=fresh,
        accept_changes=accept_changes,
        force=force,
        into=into,
        meta=meta,
        failed=failed,
        order=order,
        limit_rows=limit_rows,
        input_format=input_format,
        output_format=output_format,
        progress=progress,
    )


def options(
    input: Path,
    output: Path,
    *,
    journal: Path | bool,
    fresh: bool,
    accept_changes: bool,
    force: bool,
    into: str | None,
    meta: bool,
    failed: Path | None,
    order: str,
    limit_rows: int | None,
    input_format: str | None,
    output_format: str | None,
) -> str:
    """What the engine is told about a run over files."""
    kept: dict[str, Any] | None = None
    if journal is not False:
        path = f"{os.fspath(output)}.journal" if journal is True else os.fspath(journal)
        kept = {"path": path, "fresh": fresh, "accept_changes": accept_changes}
    return json.dumps(
        {
            "input": os.fspath(input),
            "output": os.fspath(output),
            "input_format": input_format,
            "output_format": output_format,
            "journal": kept,
            "into": into,
            "meta": meta,
            "failed": None if failed is None else os.fspath(failed),
            "in_input_order": order == "input",
            "limit_rows": limit_rows,
            "force": force,
        }
    )


def carry_out(extractor: Extractor[Any], call: Call, progress: bool, name: str) -> None:
    """Waits for the end of a run, showing how far it is. The first Ctrl-C halts it, the second gives it up."""
    shown = extractor.stats.ended
    line = bar(progress and sys.stderr.isatty(), None, name)
    interrupted: KeyboardInterrupt | None = None
    looked = time.monotonic()
    try:
        while True:
            try:
                if call.take() is None:
                    break
                call.wait(_EVERY)
                if progress and time.monotonic() - looked >= _EVERY:
                    looked, ended = time.monotonic(), extractor.stats.ended
                    line.update(ended - shown)
                    shown = ended
            except KeyboardInterrupt as first:
                if interrupted is not None:
                    call.cancel()
                    raise
                interrupted = first
                call.halt()
        line.update(extractor.stats.ended - shown)
    finally:
        line.close()
    if interrupted is not None:
        raise interrupted
