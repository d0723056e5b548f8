"""Runs from file to file: the command `rowcall run`, from Python."""

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


@_settings.guarded("a setting of an extractor or an option of a run")
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

    Every outcome is in the journal before it is in the output. After a crash, a kill or Ctrl-C, the same call continues where it
    ended and does not ask about recorded rows again. `rowcall status` on the command line reads the journal too;
    `Extractor.rerun(OUTPUT)` asks again about the rows that failed.

    Args:
        input: CSV, TSV, JSON Lines, a JSON array or plain text (one row per line), optionally gzipped. For Parquet use `Extractor.map_table`.
        output: JSON Lines or CSV. It is named `OUTPUT.part` until it is complete.
        response: The type of the values, as for `Extractor`.
        model: `PROVIDER/MODEL`, such as `openai/gpt-6-luna`. The key comes from the provider's environment variable
            (`OPENAI_API_KEY`). `sim` selects a simulated provider on this machine.
        prompt: A template over the input's fields.
        system: Instructions that apply to every row: a template, sent as the system prompt.
        examples: Pairs of a row and its expected value, shown to the model. All of them are sent with every request.
        images: Names of the fields that hold images or PDFs to send: a file path, an `https:` or `data:` URL, or a list of these.
        check: Your own rule. It gets the row and its value, and returns or raises what is wrong; the model is then asked again.
        context: The `info.context` of Pydantic's validators, or a function that returns it for a row; `info.context["row"]` is the row.
        mode: How the schema is requested: `schema`, `tool`, `json` or `prompt`. Default: the best mode that the model supports.
        temperature: Sampling temperature. Sent only if set.
        max_output_tokens: The maximum number of tokens in an answer, reasoning included.
        params: Additional fields for the body of every request, named as the provider names them: `{"seed": 1}`.
        max_reasks: How often an invalid answer is sent back with its errors. Default: 3.
        retries: How often a failed attempt is retried. Default: 5. Waiting for rate limits does not count as a retry.
        dedup: Send only one request for rows whose requests would be identical. Default: True.
        same_prompt: Allow a prompt that uses no field of the row, which asks the same about every row.
        keep_going: Continue even if the server rejects all of the first rows in the same way, which otherwise stops the call.
        deadline: Seconds for which a call may send requests. It then waits for those in flight and raises `LimitError`.
        max_failures: How many rows may fail before a call raises `LimitError`: a number, or a share such as `"5%"`, once 100 have ended.
        on_event: Called with each `Event`, on a separate thread.
        retry_failed: Ask again about rows that the journal records as failed. A recorded answer that is valid by now is accepted as it is.
        base_url: The server's address, instead of the provider's own: `http://localhost:8000/v1`.
        api_key: The API key, instead of the one in the provider's environment variable.
        headers: Additional headers for every request. Their values are treated as secrets.
        timeout: Seconds that an attempt may take. Default: 600.
        ca_cert: A PEM file of certificate authorities to trust in addition to the system's.
        rpm: The maximum number of requests per minute of this extractor. Use `Client` to share limits between several.
        tpm: The maximum number of tokens per minute, input and output together.
        price: The price of the model's tokens, in US dollars per million: `in=0.15,out=0.60`.
        prices: A file with a price table, instead of the built-in one.
        budget: US dollars that all requests together may cost, including those of earlier runs with the same journals: `5` or `"0.50"`.
        protocol: The protocol that the server speaks: `chat`, `responses`, `anthropic` or `gemini`. Default: the provider's.
        dialect: The subset of JSON Schema that the server enforces, such as `xgrammar`. Default: the provider's. `auto` probes the server
            with a few tiny requests. A name that ends in `.json` is a file with the output of `rowcall schema --probe --json`.
        journal: Where outcomes are recorded. Default, or True: `OUTPUT.journal`. False: nowhere.
        fresh: Remove the journal and start over.
        accept_changes: Continue although the journal was made with another model, prompt, schema or parameters.
        cache: A file of answers, shared by all runs and processes that use it. Answers in it are reused, new ones are added.
        force: Overwrite an output that has no journal.
        into: Write the whole value under this name, instead of its fields next to the input's.
        meta: Add what each row took: requests, tokens, cost, time.
        failed: Also write failed rows to this file, as JSON Lines.
        order: The order of the output: `input`, or `completed` for rows as they complete.
        limit_rows: Stop after this many input rows.
        input_format: The input's format, regardless of its name and content.
        output_format: The output's format, regardless of its name.
        failed_rows: What to do with rows that failed in an earlier step: `error` (they fail again without being asked), `skip` or `ask`.
        encoding: The input's encoding, such as `windows-1252`. Default: UTF-8, or UTF-16 with a byte order mark.
        delimiter: What separates the columns of a CSV. Default: a comma.
        quote: What encloses the columns of a CSV, or `none`. Default: `"`.
        escape: What escapes a quote inside a column of a CSV. By default only doubling the quote does.
        skip_rows: How many lines to skip above the header of a CSV.
        concurrency: The maximum number of requests in flight.
        progress: Show progress on stderr. Default: on a terminal and in a notebook.

    Returns:
        Statistics of all calls so far. Failed rows are in the output, and counted in `failed`.

    Raises:
        Error: if something stopped the run. Finished rows are in the journal, and those whose turn had come are in `OUTPUT.part`.
        KeyboardInterrupt: after Ctrl-C, once the requests in flight have ended. A second Ctrl-C cancels them.
    """
    if not isinstance(input, (str, bytes, os.PathLike)):
        raise TypeError(f"`input` is of type `{type(input).__name__}`, expected a file name; `Extractor.map_table` takes tables")
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
