"""From file to file: what the command `rowcall run` does, from Python."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import _events, _settings
from ._extractor import Extractor
from ._file_run import InputFormat, Order, OutputFormat, Path

if TYPE_CHECKING:
    from decimal import Decimal

    from pydantic import SecretStr

    from ._model import Check
    from ._settings import Mode, Protocol
    from ._stats import Stats
    from ._table import FailedRows


@_settings.guarded("setting of an extractor or option of a run")
def run(
    input: Path,
    output: Path,
    response: Any,
    *,
    model: str,
    prompt: str = "{{ text }}",
    system: str | None = None,
    examples: Sequence[tuple[Any, Any]] | None = None,
    images: Sequence[str] | None = None,
    check: Check | None = None,
    context: Any = None,
    mode: Mode | None = None,
    temperature: float | None = None,
    max_output_tokens: int | None = None,
    params: Mapping[str, Any] | None = None,
    max_reasks: int | None = None,
    retries: int | None = None,
    dedup: bool | None = True,
    same_prompt: bool | None = False,
    keep_going: bool | None = False,
    deadline: float | None = None,
    max_failures: int | str | None = None,
    on_event: _events.Callback | None = None,
    retry_failed: bool | None = False,
    base_url: str | None = None,
    api_key: str | SecretStr | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float | None = None,
    ca_cert: str | os.PathLike[str] | None = None,
    rpm: float | None = None,
    tpm: float | None = None,
    price: str | None = None,
    prices: str | os.PathLike[str] | None = None,
    budget: float | Decimal | str | None = None,
    protocol: Protocol | None = None,
    dialect: str | None = None,
    cache: str | os.PathLike[str] | None = None,
    journal: Path | bool | None = None,
    fresh: bool = False,
    accept_changes: bool = False,
    force: bool = False,
    into: str | None = None,
    meta: bool = False,
    failed: Path | None = None,
    order: Order = "input",
    limit_rows: int | None = None,
    input_format: InputFormat | None = None,
    output_format: OutputFormat | None = None,
    failed_rows: FailedRows | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    escape: str | None = None,
    skip_rows: int = 0,
    concurrency: int | None = None,
    progress: bool | None = None,
) -> Stats:
    """Asks about every row of a file and writes the outcomes to another: the input's fields, the value's, and `_error`.

    Every outcome is in the journal before it is in the output. After a crash, a kill or Ctrl-C the same call goes on: what is
    known is not asked again. The command line's `rowcall status` understands the journal; `Extractor.rerun(OUTPUT)` asks again about the
    rows that failed.

    Args:
        input: CSV, TSV, JSON Lines, a JSON array or text (a row a line), also gzipped. Parquet: `Extractor.map_table`.
        output: JSON Lines or CSV. It is named `OUTPUT.part` until it is complete.
        response: What values are, as for `Extractor`.
        model: `PROVIDER/MODEL`, such as `openai/gpt-6-luna`, with the key from the provider's variable (`OPENAI_API_KEY`); `sim` for a
            simulated provider on this machine.
        prompt: A template over the input's fields.
        system: What holds for every row: a template, sent as the protocol's system part.
        examples: Rows with the values that they are to get, for the model to go by. Each goes along with every request.
        images: The fields that hold images or PDFs to go along: a file's path, an `https:` or a `data:` URL, or a list of them.
        check: A rule of yours: called with the row and its value, returns or raises what is wrong, for which the model is asked again.
        context: What Pydantic's validators find in `info.context`, or a function that gives it for a row; `info.context["row"]` is the row.
        mode: How the schema is asked for: `schema`, `tool`, `json` or `prompt`; by the best that the model has if left out.
        temperature: Sampling temperature. Never sent unless asked for.
        max_output_tokens: The most tokens an answer may have, reasoning included.
        params: Further fields of every request's body, as the provider names them: `{"seed": 1}`.
        max_reasks: How often an invalid answer is asked for again, with what was wrong: 3 if left out.
        retries: How often an attempt that failed is repeated: 5 if left out. Limits are waited out in any case.
        dedup: Whether rows that would be asked the very same are asked once; they are, if left out.
        same_prompt: Allow a prompt that uses no field of the row, so that every row is asked the same.
        keep_going: Ask about every row even if the server refuses the first ones all alike, which otherwise stops the call.
        deadline: Seconds that a call may send requests; then it raises `LimitError`, once those in flight are answered.
        max_failures: How many rows may fail before a call raises `LimitError`: a number, or a share such as `"5%"` once 100 have ended.
        on_event: Called with each `Event`, from a thread of its own.
        retry_failed: Ask again about rows that failed, of those that the journal knows; an invalid answer that is valid by now is taken.
        base_url: Another address than the provider's own, such as `http://localhost:8000/v1`.
        api_key: The key, in place of the one in the provider's environment variable.
        headers: Further headers of every request. Their values are treated as secrets.
        timeout: Seconds that an attempt may take; 600 if left out.
        ca_cert: A PEM file with certificate authorities to trust beside the system's.
        rpm: The most requests per minute, of this extractor; `Client` has limits for several.
        tpm: The most tokens per minute, in and out together.
        price: What the model's tokens cost, in US dollars for a million of them: `in=0.15,out=0.60`.
        prices: A file with a table of prices, in place of the one that is built in.
        budget: US dollars that all requests may cost together, those of earlier runs of the same journals included, such as `5` or `"0.50"`.
        protocol: How the server is spoken to: `chat`, `responses`, `anthropic` or `gemini`; as the provider is used to if left out.
        dialect: The subset of JSON Schema that the server holds a model to, such as `xgrammar`; the provider's usual one if left out. `auto`
            asks the server, by a few tiny requests; a name that ends in `.json` is that of a file with what `rowcall schema --probe --json` found.
        journal: Where outcomes are kept: `OUTPUT.journal` for True or if left out, nowhere for False.
        fresh: Remove the journal and start over.
        accept_changes: Go on although the journal was made with another model, prompt, schema or parameters.
        cache: A file with the answers of all runs and processes that share it: what is in it is not asked again.
        force: Write over an output that has no journal.
        into: A name for the whole value, in place of its fields beside the input's.
        meta: Add what each row took.
        failed: Write failed rows to this file as well, as JSON Lines.
        order: Of the output: `input`, or as they are `completed`.
        limit_rows: Stop after this many rows of the input.
        input_format: The input's format, whatever its name and its text.
        output_format: The output's format, whatever its name.
        failed_rows: What becomes of rows that failed in an earlier step: `error`, `skip` or `ask`.
        encoding: The input's encoding, such as `windows-1252`; UTF-8, or UTF-16 with a byte order mark, if left out.
        delimiter: What stands between the columns of a CSV; a comma if left out.
        quote: What encloses columns of a CSV, or `none`; `"` if left out.
        escape: What stands before a quote that belongs to a CSV's text; only doubled quotes do if left out.
        skip_rows: How many lines stand above the header of a CSV.
        concurrency: The most requests in flight.
        progress: Show how far it is, on stderr: on a terminal and in a notebook if left out.

    Returns:
        What has happened. Failed rows are in the output, and counted in `failed`.

    Raises:
        Error: whatever stopped the run. What is done is in the journal, and in `OUTPUT.part` as far as it was its turn.
        KeyboardInterrupt: after Ctrl-C, once the requests in flight have been awaited; a second Ctrl-C gives them up.
    """
    if not isinstance(input, (str, bytes, os.PathLike)):
        raise TypeError(f"`input` is of type `{type(input).__name__}`, expected a file's name; `Extractor.map_table` takes tables")
    extractor: Extractor[Any] = Extractor(
        response,
        model=model,
        prompt=prompt,
        system=system,
        examples=examples,
        images=images,
        check=check,
        context=context,
        mode=mode,
        temperature=temperature,
        max_output_tokens=max_output_tokens,
        params=params,
        max_reasks=max_reasks,
        retries=retries,
        dedup=dedup,
        same_prompt=same_prompt,
        keep_going=keep_going,
        deadline=deadline,
        max_failures=max_failures,
        on_event=on_event,
        retry_failed=retry_failed,
        cache=cache,
        base_url=base_url,
        api_key=api_key,
        headers=headers,
        timeout=timeout,
        ca_cert=ca_cert,
        rpm=rpm,
        tpm=tpm,
        price=price,
        prices=prices,
        budget=budget,
        protocol=protocol,
        dialect=dialect,
    )
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
        failed_rows=failed_rows,
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        escape=escape,
        skip_rows=skip_rows,
        concurrency=concurrency,
        progress=progress,
    )
