"""From file to file: what the command `rowcall run` does, from Python."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union

from ._progress import EVERY, Counted
from ._settings import Settings, check_names

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._extractor import Extractor
    from ._rowcall import Call
    from ._stats import Stats

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


class RunSettings(Settings, FileOptions, total=False):
    """What a run from file to file may be told, beside type, model and prompt."""


def run(
    input: Path,
    output: Path,
    response: Any,
    *,
    model: str,
    prompt: str = "{{ text }}",
    **settings: Unpack[RunSettings],
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
        **settings: `journal`, `fresh`, `accept_changes`, `force`, `into`, `meta`, `failed`, `order`, `limit_rows`,
            `input_format`, `output_format` and `progress`, which `FileOptions` explains, and those of `Extractor`.

    Returns:
        What has happened. Failed rows are in the output, and counted in `failed`.

    Raises:
        Error: whatever stopped the run. What is done is in the journal and in `OUTPUT.part`.
        KeyboardInterrupt: after Ctrl-C, once the requests in flight have been awaited; a second Ctrl-C gives them up.
    """
    from ._extractor import Extractor

    given: dict[str, Any] = dict(settings)
    options = {name: given.pop(name) for name in FileOptions.__annotations__ if name in given}
    extractor: Extractor[Any] = Extractor(response, model=model, prompt=prompt, **given)
    return extractor.run(input, output, **options)


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
