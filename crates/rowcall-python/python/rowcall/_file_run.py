"""The options of a run from file to file, how they are passed to the engine, and how a call waits for its end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union

from ._errors import ConfigError
from ._progress import EVERY, Counted
from ._settings import as_json, path

if TYPE_CHECKING:
    from ._rowcall import Call

Order = Literal["input", "completed"]
"""The order in which rows are written."""

InputFormat = Literal["csv", "tsv", "jsonl", "json", "txt"]
"""The formats that can be read."""

OutputFormat = Literal["csv", "tsv", "jsonl"]
"""The formats that can be written."""

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
"""A file name."""


class FileOptions(TypedDict, total=False):
    """The options of a run from file to file."""

    journal: Path | bool | None
    """Where outcomes are recorded. Default, or `True`: `OUTPUT.journal`. `False`: nowhere."""
    fresh: bool
    """Remove the journal and start over."""
    accept_changes: bool
    """Continue although the journal was made with another model, prompt, schema or parameters."""
    force: bool
    """Overwrite an output that has no journal."""
    into: str | None
    """Write the whole value under this name, instead of its fields next to the input's."""
    meta: bool
    """Add what each row took: requests, tokens, cost, time."""
    failed: Path | None
    """Also write failed rows to this file, as JSON Lines."""
    order: Order
    """The order of the output. Default: the input's."""
    batch: bool
    """Send the rows in batches, at the provider's price for batches. Results may take a day."""
    limit_rows: int | None
    """Stop after this many input rows."""
    input_format: InputFormat | None
    """The input's format, regardless of its name and content."""
    failed_rows: Literal["error", "skip", "ask"]
    """What to do with rows that failed in an earlier step: fail them again without asking (the default), skip them, or ask about
    them."""
    encoding: str | None
    """The input's encoding, such as `windows-1252`. Default: UTF-8, or UTF-16 with a byte order mark."""
    delimiter: str | None
    """What separates the columns of a CSV. Default: a comma."""
    quote: str | None
    """What encloses the columns of a CSV, or `none`. Default: `"`."""
    escape: str | None
    """What escapes a quote inside a column of a CSV. By default only doubling the quote does."""
    skip_rows: int
    """How many lines to skip above the header of a CSV."""
    output_format: OutputFormat | None
    """The output's format, regardless of its name."""
    progress: bool | None
    """Show progress on stderr. Default: on a terminal and in a notebook."""


_TABLE_SUFFIXES = (".parquet", ".arrow", ".feather", ".xlsx")
"""Suffixes of files that table libraries read and write."""


def _check_name(name: str, what: str, other: str) -> None:
    ending = os.path.splitext(name)[1].lower()
    if ending in _TABLE_SUFFIXES:
        raise ConfigError(f"the {what} `{name}` is a table file (`{ending}`), which `run` cannot {other}", hint=_TABLES[what])


_TABLES = {
    "input": 'read it as a table: `extractor.map_table(pandas.read_parquet("in.parquet"))`, or with Polars or pyarrow',
    "output": "use `extractor.map_table(table)` and write its result with pandas, Polars or pyarrow",
}


def settings(input: Path, output: Path, options: FileOptions, has_journal: bool, fingerprint: str | None) -> str:
    """The options of a run over files, in the form that the engine takes. `has_journal` is whether the extractor has its own journal.

    Raises:
        ConfigError: for invalid options.
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
            "batch": options.get("batch", False),
            "limit_rows": options.get("limit_rows"),
            "force": options.get("force", False),
        },
        "option",
    )


def _journal(output: Path, options: FileOptions, has_journal: bool) -> dict[str, Any] | None:
    asked = [name for name in ("fresh", "accept_changes") if options.get(name)]
    journal = options.get("journal")
    if has_journal:
        # The extractor's own journal is used for files as well.
        if journal is not None or asked:
            raise ConfigError(
                f"`{'journal' if journal is not None else asked[0]}` was given to a run of an extractor that has its own journal",
                hint="leave it out, or make the extractor without `journal=`",
            )
        return None
    if journal is False:
        if asked:
            raise ConfigError(f"`{asked[0]}` applies to a journal, but `journal=False` disables it")
        return None
    return {
        "path": f"{path(output)}.journal" if journal is None or journal is True else path(journal),
        "fresh": options.get("fresh", False),
        "accept_changes": options.get("accept_changes", False),
    }


def journal_of(output: Path | None, journal: Path | None, last: tuple[Path, Path | bool | None] | None, has_journal: bool) -> str:
    """The journal of the run whose failed rows are to be asked again.

    Raises:
        ConfigError: if there was no such run, or it kept no journal.
    """
    if has_journal:
        raise ConfigError(
            "`rerun` reads the journal of a run, but the extractor has its own journal",
            hint="make the extractor with `retry_failed=True` and call `run` again",
        )
    if journal is not None:
        return str(path(journal))
    if output is not None:
        return f"{path(output)}.journal"
    if last is None:
        raise ConfigError(
            "this extractor has not run from file to file yet, so there are no failed rows to ask about again",
            hint='name its output: `rerun("out.jsonl")`; for rows in memory, `gather([rows[each.index] for each in extractor.failures()])`',
        )
    if last[1] is False:
        raise ConfigError("the last run had `journal=False`, so there are no recorded rows to ask about again")
    return f"{path(last[0])}.journal" if last[1] is None or last[1] is True else str(path(last[1]))


def carry_out(call: Call, shown: Counted) -> None:
    """Waits for the end of a run and shows its progress. The first Ctrl-C halts it, the second cancels it."""
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
            logging.getLogger("rowcall").warning("%s", note)
