"""From file to file: what the command `rowcall run` does, from Python."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ._extractor import Extractor
from ._file_run import FileOptions, Path
from ._settings import Settings, hide

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._stats import Stats


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
        Error: whatever stopped the run. What is done is in the journal, and in `OUTPUT.part` as far as it was its turn.
        KeyboardInterrupt: after Ctrl-C, once the requests in flight have been awaited; a second Ctrl-C gives them up.
    """
    hide(settings)  # type: ignore[arg-type]
    if not isinstance(input, (str, bytes, os.PathLike)):
        raise TypeError(f"`input` is of type `{type(input).__name__}`, expected a file's name; `Extractor.map_table` takes tables")
    given: dict[str, Any] = dict(settings)
    options = {name: given.pop(name) for name in FileOptions.__annotations__ if name in given}
    extractor: Extractor[Any] = Extractor(response, model=model, prompt=prompt, **given)
    return extractor.run(input, output, **options)
