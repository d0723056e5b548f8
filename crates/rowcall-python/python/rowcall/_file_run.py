"""What a run from file to file may be told, how that is passed on to the engine, and how its end is awaited."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union

from ._errors import ConfigError, in_python
from ._progress import EVERY, Counted
from ._settings import as_json, path

if TYPE_CHECKING:
    from ._rowcall import Call

Order = Literal["input", "completed"]
"""In which order rows are written."""

InputFormat = Literal["csv", "tsv", "jsonl", "json", "txt"]
"""What can be read."""

OutputFormat = Literal["csv", "tsv", "jsonl"]
"""What can be written."""

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
"""The name of a file."""


class FileOptions(TypedDict, total=False):
    """What is done about the files of a run."""

    journal: Path | bool | None
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
    order: Order
    """Of the output: the input's if left out."""
    limit_rows: int | None
    """Stop after this many rows of the input."""
    input_format: InputFormat | None
    """The input's format, whatever its name and its text."""
    failed_rows: Literal["error", "skip", "ask"]
    """What becomes of rows that failed in an earlier step: they fail again without being asked (if left out), are left out, or
    are asked about."""
    encoding: str | None
    """The input's encoding, such as `windows-1252`; UTF-8, or UTF-16 with a byte order mark, if left out."""
    delimiter: str | None
    """What stands between the columns of a CSV; a comma if left out."""
    quote: str | None
    """What encloses columns of a CSV, or `none`; `"` if left out."""
    escape: str | None
    """What stands before a quote that belongs to a CSV's text; only doubled quotes do if left out."""
    skip_rows: int
    """How many lines stand above the header of a CSV."""
    output_format: OutputFormat | None
    """The output's format, whatever its name."""
    progress: bool | None
    """Show how far it is, on stderr: on a terminal and in a notebook if left out."""


_OF_TABLES = (".parquet", ".arrow", ".feather", ".xlsx")
"""How the names of files end that libraries for tables read and write."""


def _check_name(name: str, what: str, other: str) -> None:
    ending = os.path.splitext(name)[1].lower()
    if ending in _OF_TABLES:
        raise ConfigError(f"the {what} `{name}` is a file of tables (`{ending}`), which `run` does not {other}", hint=_TABLES[what])


_TABLES = {
    "input": 'read it as a table: `extractor.map_table(pandas.read_parquet("in.parquet"))`, or with Polars or pyarrow',
    "output": "`extractor.map_table(table)` gives a table, which pandas, Polars or pyarrow writes",
}


def told(input: Path, output: Path, options: FileOptions, has_journal: bool, fingerprint: str | None) -> str:
    """What the engine is told about a run over files, by an extractor that has a journal of its own or not.

    Raises:
        ConfigError: for options that cannot be.
    """
    if options.get("input_format") is None:
        _check_name(os.fsdecode(input), "input", "read")
    if options.get("output_format") is None:
        _check_name(os.fsdecode(output), "output", "write")
    order = options.get("order", "input")
    if order not in ("input", "completed"):
        raise ConfigError(f"the order `{order}` is unknown, expected `input` or `completed`")
    return as_json(
        {
            "input": path(input),
            "output": path(output),
            "input_format": options.get("input_format"),
            "output_format": options.get("output_format"),
            "failed_rows": options.get("failed_rows"),
            "encoding": options.get("encoding"),
            "delimiter": options.get("delimiter"),
            "quote": options.get("quote"),
            "escape": options.get("escape"),
            "skip_rows": options.get("skip_rows", 0),
            "journal": _journal(output, options, has_journal),
            "into": options.get("into"),
            "meta": options.get("meta", False),
            "failed": path(options.get("failed")),
            "validated_by_hash": fingerprint,
            "in_input_order": order == "input",
            "limit_rows": options.get("limit_rows"),
            "force": options.get("force", False),
        },
        "option",
    )


def _journal(output: Path, options: FileOptions, has_journal: bool) -> dict[str, Any] | None:
    asked = [name for name in ("fresh", "accept_changes") if options.get(name)]
    journal = options.get("journal")
    if has_journal:
        # A journal of the extractor's own serves files as well.
        if journal is not None or asked:
            raise ConfigError(
                f"`{'journal' if journal is not None else asked[0]}` was given to a run of an extractor that has a journal of its own",
                hint="leave it out, or make the extractor without `journal=`",
            )
        return None
    if journal is False:
        if asked:
            raise ConfigError(f"`{asked[0]}` says what is done with a journal, but `journal=False` says that there is none")
        return None
    return {
        "path": f"{path(output)}.journal" if journal is None or journal is True else path(journal),
        "fresh": options.get("fresh", False),
        "accept_changes": options.get("accept_changes", False),
    }


def journal_of(output: Path | None, journal: Path | None, last: tuple[Path, Path | bool | None] | None, has_journal: bool) -> str:
    """The journal of the run whose failed rows are to be asked again.

    Raises:
        ConfigError: if there was no such run, or it kept none.
    """
    if has_journal:
        raise ConfigError(
            "`rerun` asks again by the journal of a run, but the extractor has a journal of its own",
            hint="make the extractor with `retry_failed=True` and call `run` again",
        )
    if journal is not None:
        return str(path(journal))
    if output is not None:
        return f"{path(output)}.journal"
    if last is None:
        raise ConfigError(
            "there was no run from file to file yet whose failed rows could be asked again",
            hint='name its output: `rerun("out.jsonl")`; for rows in memory, `gather([rows[each.index] for each in extractor.failures()])`',
        )
    if last[1] is False:
        raise ConfigError("the last run had `journal=False`, and kept nothing to ask again about")
    return f"{path(last[0])}.journal" if last[1] is None or last[1] is True else str(path(last[1]))


def carry_out(call: Call, shown: Counted) -> None:
    """Waits for the end of a run, showing how far it is. The first Ctrl-C halts it, the second gives it up."""
    interrupted: KeyboardInterrupt | None = None
    log(call.notes())
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
            except BaseException:
                call.cancel()
                raise
    log(call.last_notes())
    if interrupted is not None:
        raise interrupted


def log(notes: list[str]) -> None:
    """Logs notes about the input."""
    if notes:
        import logging

        for note in notes:
            logging.getLogger("rowcall").warning("%s", in_python(note))
