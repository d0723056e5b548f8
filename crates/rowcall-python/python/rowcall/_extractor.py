"""The extractor, with a method for every way of asking, named as in asyncio."""

from __future__ import annotations

import json
import os
import sys
import weakref
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from . import _events, _failures, _kept, _loop, _model, _settings, _shown, _stats, _threads, _words
from ._client import Client
from ._errors import Error
from ._feed import Rows
from ._outcomes import Gathered, Outcomes
from ._progress import EVERY, Counted, Nothing, bar, beside, is_wanted
from ._rowcall import Call, Core, Feeder, Rules, Validator
from ._steering import Steered
from ._warnings import warn

if TYPE_CHECKING:
    from decimal import Decimal
    from types import TracebackType

    from pydantic import SecretStr
    from typing_extensions import Self, TypeForm, Unpack

    from ._estimate import Estimate
    from ._failures import Failures
    from ._file_run import FileOptions, InputFormat, Order, OutputFormat, Path
    from ._rowcall import Outcome, TableRun
    from ._table import FailedRows, Part
    from ._model import Check
    from ._settings import KeptSettings, Mode, Protocol
    from ._stats import Stats

T_co = TypeVar("T_co", covariant=True)


class Extractor(Steered, Generic[T_co]):
    """Extracts a typed, validated value from each row. Its calls share limits, journal and statistics.

    Args:
        response: The type of the values: a Pydantic model, a dataclass, a typed dict, a msgspec struct, a list of one of these, an enum, a
            literal, a scalar, or a JSON Schema as a dict, which gives plain values.
        model: `PROVIDER/MODEL`, such as `openai/gpt-6-luna`. The key comes from the provider's environment variable
            (`OPENAI_API_KEY`). `sim` selects a simulated provider on this machine.
        prompt: A Jinja template. A string row is the variable `text`; the fields of any other row are variables by name.
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
        journal: A file that records each outcome as it arrives. Rows recorded in it are not asked about again, in this process or a later one.
        retry_failed: Ask again about rows that the journal records as failed. A recorded answer that is valid by now is accepted as it is.
        accept_changes: Continue with a journal that was made with another model, prompt, schema or parameters.
        cache: A file of answers, shared by all runs and processes that use it. Answers in it are reused, new ones are added.
        base_url: The server's address, instead of the provider's own: `http://localhost:8000/v1`.
        api_key: The API key, instead of the one in the provider's environment variable.
        headers: Additional headers for every request. Their values are treated as secrets.
        timeout: Seconds that an attempt may take. Default: 600.
        ca_cert: A PEM file of certificate authorities to trust in addition to the system's.
        concurrency: The maximum number of requests in flight. By default rowcall finds the best number itself.
        rpm: The maximum number of requests per minute of this extractor. Use `Client` to share limits between several.
        tpm: The maximum number of tokens per minute, input and output together.
        price: The price of the model's tokens, in US dollars per million: `in=0.15,out=0.60`.
        prices: A file with a price table, instead of the built-in one.
        budget: US dollars that all requests together may cost, including those of earlier runs with the same journals: `5` or `"0.50"`.
        protocol: The protocol that the server speaks: `chat`, `responses`, `anthropic` or `gemini`. Default: the provider's.
        dialect: The subset of JSON Schema that the server enforces, such as `xgrammar`. Default: the provider's. `auto` probes the
            server with a few tiny requests when the extractor is made. A name that ends in `.json` is a file with the output of
            `rowcall schema --probe --json`.

    Raises:
        ConfigError: if a setting is invalid. Nothing has been sent.
        TypeError: if values cannot be validated against `response`.
    """

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: Extractor[T_co],
            response: TypeForm[T_co],
            *,
            model: str,
            prompt: str = ...,
            system: str | None = ...,
            examples: Sequence[tuple[Any, Any]] | None = ...,
            images: Sequence[str] | None = ...,
            check: Check | None = ...,
            context: Any = ...,
            mode: Mode | None = ...,
            temperature: float | None = ...,
            max_output_tokens: int | None = ...,
            params: Mapping[str, Any] | None = ...,
            max_reasks: int | None = ...,
            retries: int | None = ...,
            dedup: bool | None = ...,
            same_prompt: bool | None = ...,
            keep_going: bool | None = ...,
            deadline: float | None = ...,
            max_failures: int | str | None = ...,
            on_event: _events.Callback | None = ...,
            journal: str | os.PathLike[str] | None = ...,
            accept_changes: bool | None = ...,
            retry_failed: bool | None = ...,
            cache: str | os.PathLike[str] | None = ...,
            base_url: str | None = ...,
            api_key: str | SecretStr | None = ...,
            headers: Mapping[str, str] | None = ...,
            timeout: float | None = ...,
            ca_cert: str | os.PathLike[str] | None = ...,
            concurrency: int | None = ...,
            rpm: float | None = ...,
            tpm: float | None = ...,
            price: str | None = ...,
            prices: str | os.PathLike[str] | None = ...,
            budget: float | Decimal | str | None = ...,
            protocol: Protocol | None = ...,
            dialect: str | None = ...,
        ) -> None: ...

        @overload
        def __init__(
            self: Extractor[Any],
            response: dict[str, Any],
            *,
            model: str,
            prompt: str = ...,
            **settings: Unpack[KeptSettings],
        ) -> None: ...

    @_settings.guarded("a setting of an extractor")
    def __init__(
        self,
        response: Any,
        *,
        model: str | None = None,
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
        journal: str | os.PathLike[str] | None = None,
        accept_changes: bool | None = False,
        retry_failed: bool | None = False,
        cache: str | os.PathLike[str] | None = None,
        base_url: str | None = None,
        api_key: str | SecretStr | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        ca_cert: str | os.PathLike[str] | None = None,
        concurrency: int | None = None,
        rpm: float | None = None,
        tpm: float | None = None,
        price: str | None = None,
        prices: str | os.PathLike[str] | None = None,
        budget: float | Decimal | str | None = None,
        protocol: Protocol | None = None,
        dialect: str | None = None,
    ) -> None:
        task = {
            "system": system,
            "examples": examples,
            "images": images,
            "check": check,
            "context": context,
            "mode": mode,
            "temperature": temperature,
            "max_output_tokens": max_output_tokens,
            "params": params,
            "max_reasks": max_reasks,
            "retries": retries,
            "dedup": dedup,
            "same_prompt": same_prompt,
            "keep_going": keep_going,
            "deadline": deadline,
            "max_failures": max_failures,
            "on_event": on_event,
            "journal": journal,
            "accept_changes": accept_changes,
            "retry_failed": retry_failed,
            "cache": cache,
        }
        _settings.check_model(model)
        made = _model.model(response, context, check)
        _settings.check_kinds({**task, "prompt": prompt})
        client = Client(
            model,  # type: ignore[arg-type]
            base_url=base_url,
            api_key=api_key,
            headers=headers,
            timeout=timeout,
            ca_cert=ca_cert,
            concurrency=concurrency,
            rpm=rpm,
            tpm=tpm,
            price=price,
            prices=prices,
            budget=budget,
            protocol=protocol,
            dialect=dialect,
        )
        self._has_own_client = True
        self._open(client, made, prompt, task)

    @classmethod
    def _of(cls, client: Client, response: Any, prompt: str, task: Mapping[str, Any]) -> Self:
        made = cls.__new__(cls)
        made._has_own_client = False
        model = _model.model(response, task.get("context"), task.get("check"))
        made._open(client, model, prompt, task)
        return made

    def _open(self, client: Client, model: _model.Model, prompt: str, task: Mapping[str, Any]) -> None:
        self._client, self._model = client, model
        self._last_run: tuple[Path, Path | bool | None] | None = None
        self._rules = model.rules
        self._on_event = task.get("on_event")
        if self._on_event is not None and not callable(self._on_event):
            raise TypeError(f"`on_event` is a `{type(self._on_event).__name__}`, expected a function that takes an event")
        self._settings = _settings.task(model, client._settings, prompt, task)
        self._process = os.getpid()
        self._made = self._make()

    def _make(self) -> Core:
        events = _events.watch(self._on_event)
        self._end_events = None if events is None else weakref.finalize(self, events.close)
        settings = _settings.as_json(self._settings, "setting")
        try:
            return Core(self._client._account, settings, events)
        except BaseException:
            if self._end_events is not None:
                self._end_events()
            raise

    @property
    def _core(self) -> Core:
        if self._process != os.getpid():
            # A forked child can neither use nor close its parent's connections and threads.
            _left_alone.append(self._made)
            self._made, self._process = self._make(), os.getpid()
        return self._made

    def _authority(self) -> tuple[Rules, Validator] | None:
        return None if self._rules is None else (self._rules, _threads.validator())

    def __reduce__(self) -> str:
        raise TypeError("an extractor cannot be pickled or copied: it has connections and threads; make one in each process")

    def close(self) -> None:
        """Releases the journal, the connections and a simulator. This also happens when the extractor is no longer referenced.
        Let calls finish first. It waits for cancelled ones, so that the journal can be reopened at once. `stats` and `failures()`
        remain available."""
        if self._process == os.getpid():
            self._made.close()
            if self._has_own_client:
                self._client.close()
        if self._end_events is not None:
            self._end_events()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        import asyncio

        # The last write to disk may take a moment, which must not block the event loop.
        await asyncio.to_thread(self.close)

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            advice = _words.method(name)
            raise AttributeError(f"an extractor has no `{name}`" + ("" if advice is None else f": {advice}"), name=name, obj=self)

    def __repr__(self) -> str:
        if "_settings" not in self.__dict__:
            # The constructor failed, and a traceback shows the unfinished object.
            return "<rowcall.Extractor>"
        return f"<rowcall.Extractor of {self._model.name} by {self._client._settings['model']}>"

    def _repr_html_(self) -> str:
        """A table for notebooks: the model, the type, the prompt and the statistics."""
        lines = [("model", self._client._settings["model"]), ("values", self._model.name), ("prompt", _shown.short(self._settings["prompt"]))]
        return _shown.rows("rowcall.Extractor", lines) + self.stats._repr_html_()

    def _adjust(self, changes: str) -> None:
        self._core.adjust(changes)

    @property
    def stats(self) -> Stats:
        """Statistics of all calls so far."""
        return _stats.stats(self._core.stats())

    def failures(self) -> Failures:
        """The failed rows of all calls, the latest last: index, kind, message, the field of the first violation, and the answer. Only the
        latest 1,000 are kept; `stats.failed` and `stats.reasons` count all."""
        return _failures.failures(self._core.failures())

    @property
    def variables(self) -> list[str]:
        """The template variables that every row must have."""
        return self._core.variables()

    def preview(self, row: Any) -> tuple[str, Any]:
        """The URL and the body of the first request about `row`, exactly as they would be sent. Nothing is sent."""
        url, body = self._core.preview(row)
        return url, json.loads(body)

    def estimate(self, rows: Any) -> Estimate:
        """What asking about all rows would take: tokens, US dollars, and what these lie between. Nothing is sent. Rows are an iterable,
        which is read to its end, or a table, as `map_table` takes them. Answers that are in the cache cost nothing; what a journal knows
        is counted as if it were asked. Re-asks come on top. `rowcall run FILE --estimate` does it for files, `--sample` by asking first.
        """
        from ._estimate import estimate

        return estimate(self._core, rows)

    # One row.

    async def extract(self, row: Any) -> T_co:
        """The value for one row: a string, a dict, a model or a dataclass.

        Raises:
            RowError: one of its subclasses, if there is no value.
        """
        call = self._core.extract(row, self._authority())
        try:
            while not (taken := _take(call)):
                await _loop.wait(call)
            warn(call.warnings())
            return taken[0].value  # type: ignore[no-any-return]
        except BaseException:
            call.cancel()
            taken = []
            raise

    def extract_sync(self, row: Any) -> T_co:
        """Like `extract`, without asyncio. It also works while an event loop is running, which it blocks."""
        call = self._core.extract(row, self._authority())
        try:
            while not (taken := _take(call)):
                call.wait()
            warn(call.warnings())
            return taken[0].value  # type: ignore[no-any-return]
        except BaseException:
            call.cancel()
            taken = []
            raise

    # Many rows.

    def _outcomes(
        self, order: str, rows: Rows, concurrency: int | None, progress: bool, *, keeps: bool = False, batch: bool = False
    ) -> Outcomes[T_co]:
        _settings.check_concurrency(concurrency)

        def start(feeder: Feeder) -> Call:
            # When all outcomes are held until the end, completions would take most of the memory.
            return self._core.start(feeder, order, concurrency, self._authority(), not keeps, batch)

        return Outcomes(start, rows, progress, self._model.name, self._get_stats, keeps=keeps)

    async def _gathered(self, outcomes: Outcomes[T_co], return_exceptions: bool) -> list[Any]:
        gathered = Gathered(return_exceptions)
        try:
            with outcomes:
                async for batch in outcomes.async_batches():
                    gathered.add(batch)
        except BaseException as error:
            self._keep(error, gathered.kept(outcomes))
            raise
        return gathered.values()

    def _gathered_sync(self, outcomes: Outcomes[T_co], return_exceptions: bool) -> list[Any]:
        gathered = Gathered(return_exceptions)
        try:
            with outcomes:
                for batch in outcomes.batches():
                    gathered.add(batch)
        except BaseException as error:
            self._keep(error, gathered.kept(outcomes))
            raise
        return gathered.values()

    def _keep(self, error: BaseException, outcomes: list[Outcome[T_co]]) -> None:
        _kept.keep(error, outcomes, len(outcomes), self._journal())

    def _journal(self) -> str | None:
        journal = self._settings["journal"]
        return None if journal is None else str(journal["path"])

    def as_completed(self, rows: Rows, *, concurrency: int | None = None, progress: bool = False) -> Outcomes[T_co]:
        """Outcomes as they complete, for `async for` or `for`, each with its row's `index`. A failed row is an outcome too: its
        `value` raises. There may be any number of rows; they are read only as fast as they are processed."""
        return self._outcomes("completed", rows, concurrency, progress)

    def ordered(self, rows: Rows, *, concurrency: int | None = None, progress: bool = False) -> Outcomes[T_co]:
        """Like `as_completed`, in the order of the rows."""
        return self._outcomes("input", rows, concurrency, progress)

    @overload
    async def gather(
        self,
        rows: Rows,
        *more: Any,
        return_exceptions: Literal[False] = False,
        concurrency: int | None = None,
        batch: bool = False,
        progress: bool = False,
    ) -> list[T_co]: ...

    @overload
    async def gather(
        self,
        rows: Rows,
        *more: Any,
        return_exceptions: bool,
        concurrency: int | None = None,
        batch: bool = False,
        progress: bool = False,
    ) -> list[T_co | BaseException]: ...

    async def gather(
        self,
        rows: Rows,
        *more: Any,
        return_exceptions: bool = False,
        concurrency: int | None = None,
        batch: bool = False,
        progress: bool = False,
    ) -> Any:
        """All values, in the order of the rows, which are processed concurrently. `gather(*rows)` works as well.

        The first failure is raised at once and cancels the other rows, as in `asyncio.TaskGroup`; `asyncio.gather` would let
        them continue. With `return_exceptions=True`, exceptions are returned among the values.

        With `batch=True` the rows are sent in batches, at the provider's price for batches, which may take a day. The extractor needs a
        `journal=`, in which rows wait; if the call is cut off, the same call with the same journal collects what was sent.

        Any exception that ends it early, Ctrl-C included, has an attribute `outcomes` with the outcomes of the finished rows.

        Raises:
            RowError: the first failure. A failure that would affect every row, such as a rejected key, is always raised.
        """
        outcomes = self._outcomes("completed", _all(rows, more), concurrency, progress, keeps=True, batch=batch)
        return await self._gathered(outcomes, return_exceptions)

    @overload
    def gather_sync(
        self,
        rows: Rows,
        *more: Any,
        return_exceptions: Literal[False] = False,
        concurrency: int | None = None,
        batch: bool = False,
        progress: bool = False,
    ) -> list[T_co]: ...

    @overload
    def gather_sync(
        self,
        rows: Rows,
        *more: Any,
        return_exceptions: bool,
        concurrency: int | None = None,
        batch: bool = False,
        progress: bool = False,
    ) -> list[T_co | BaseException]: ...

    def gather_sync(
        self,
        rows: Rows,
        *more: Any,
        return_exceptions: bool = False,
        concurrency: int | None = None,
        batch: bool = False,
        progress: bool = False,
    ) -> Any:
        """Like `gather`, without asyncio."""
        outcomes = self._outcomes("completed", _all(rows, more), concurrency, progress, keeps=True, batch=batch)
        return self._gathered_sync(outcomes, return_exceptions)

    async def sequential(self, rows: Rows, *, progress: bool = False) -> list[T_co]:
        """All values, one request after another, up to the first failure. `gather(rows, concurrency=1, return_exceptions=True)` continues."""
        return await self._gathered(self._one_by_one(rows, progress), False)

    def sequential_sync(self, rows: Rows, *, progress: bool = False) -> list[T_co]:
        """Like `sequential`, without asyncio."""
        return self._gathered_sync(self._one_by_one(rows, progress), False)

    def _one_by_one(self, rows: Rows, progress: bool) -> Outcomes[T_co]:
        def start(feeder: Feeder) -> Call:
            return self._core.sequential(feeder, self._authority())

        return Outcomes(start, rows, progress, self._model.name, self._get_stats, keeps=True)

    @overload
    async def rate_limited_gather(
        self, rows: Rows, concurrency: int = 2, *, return_exceptions: Literal[False] = False, progress: bool = False
    ) -> list[T_co]: ...

    @overload
    async def rate_limited_gather(
        self, rows: Rows, concurrency: int = 2, *, return_exceptions: bool, progress: bool = False
    ) -> list[T_co | BaseException]: ...

    async def rate_limited_gather(
        self, rows: Rows, concurrency: int = 2, *, return_exceptions: bool = False, progress: bool = False
    ) -> Any:
        """`gather` with at most `concurrency` requests in flight: the guide's `rate_limited_gather`, without a semaphore."""
        return await self.gather(rows, concurrency=concurrency, return_exceptions=return_exceptions, progress=progress)

    def rate_limited_as_completed(self, rows: Rows, concurrency: int = 2) -> Outcomes[T_co]:
        """`as_completed` with at most `concurrency` requests in flight: the guide's `rate_limited_as_completed`."""
        return self.as_completed(rows, concurrency=concurrency)

    def map(self, rows: Rows, *, concurrency: int | None = None, progress: bool = False) -> Generator[T_co, None, None]:
        """The values in the order of the rows, for any number of rows, without asyncio. Closing the generator cancels the requests.

        Raises:
            RowError: at the first row without a value. `ordered` gives outcomes and continues.
        """
        outcomes = self._outcomes("input", rows, concurrency, progress, keeps=True)
        try:
            with outcomes:
                for outcome in outcomes:
                    yield outcome.value
        except GeneratorExit:
            raise
        except BaseException as error:
            self._keep(error, outcomes.left())
            raise

    # Tables and files.

    def map_table(
        self,
        table: Any,
        *,
        into: str | None = None,
        prefix: str | None = None,
        flatten: bool = False,
        meta: bool = False,
        only: Any = None,
        failed_rows: FailedRows = "error",
        concurrency: int | None = None,
        progress: bool = False,
    ) -> Any:
        """Returns the table with the values' fields as additional columns, and `_error` for rows without a value.

        Accepts any table with Arrow's PyCapsule interface. pandas, Polars and pyarrow get a table of their own kind, with the
        existing columns unchanged. Any other gets a `pyarrow.Table`, or a table with the PyCapsule interface without pyarrow.

        Args:
            table: A DataFrame, a table, a relation; its columns are the template's variables.
            into: Put the whole value into one column of this name, instead of a column for each field.
            prefix: A prefix for the names of the values' columns.
            flatten: Make a column for each nested field, such as `address.city`, and turn lists, maps and `_error` into text, for CSV.
            meta: Add a column `_meta` with what each row took: requests, tokens, US dollars, seconds, the model.
            only: Which rows to ask about: True or False for each. The others keep what the table already has in these columns, so
                some rows of an earlier result can be asked about again: `only=result["_error"].notna()`.
            failed_rows: What to do with rows that failed in an earlier step, according to the table's `_error`: `error` fails them again
                without asking, `skip` leaves them out, `ask` asks about them.
            concurrency: The maximum number of requests in flight.
            progress: Show progress on stderr.

        Any exception that ends it early, Ctrl-C included, has an attribute `outcomes` with the table so far; unfinished rows have
        the `_error.kind` `abandoned`.
        """
        from . import _table

        part, call, run = self._table_run(table, into, prefix, flatten, meta, only, failed_rows, concurrency)
        try:
            with self._counted(call, progress) as shown:
                while call.take() is not None:
                    call.wait(EVERY)
                    shown.look()
        except BaseException as error:
            call.cancel()
            _table.keep(error, part, run, call.progress()[0], self._journal())
            raise
        warn(call.warnings())
        return _table.joined(part, run)

    async def map_table_async(
        self,
        table: Any,
        *,
        into: str | None = None,
        prefix: str | None = None,
        flatten: bool = False,
        meta: bool = False,
        only: Any = None,
        failed_rows: FailedRows = "error",
        concurrency: int | None = None,
        progress: bool = False,
    ) -> Any:
        """Like `map_table`, for an event loop."""
        from . import _table

        part, call, run = self._table_run(table, into, prefix, flatten, meta, only, failed_rows, concurrency)
        try:
            with self._counted(call, progress) as shown:
                while call.take() is not None:
                    await _loop.wait(call, EVERY)
                    shown.look()
        except BaseException as error:
            call.cancel()
            _table.keep(error, part, run, call.progress()[0], self._journal())
            raise
        warn(call.warnings())
        return _table.joined(part, run)

    def _table_run(
        self,
        table: Any,
        into: str | None,
        prefix: str | None,
        flatten: bool,
        meta: bool,
        only: Any,
        failed_rows: FailedRows,
        concurrency: int | None,
    ) -> tuple[Part, Call, TableRun]:
        from . import _file_run, _table

        _settings.check_concurrency(concurrency)
        part = _table.part(table, only, failed_rows)
        look = _settings.as_json(
            {"into": into, "prefix": prefix, "flatten": flatten, "meta": meta, "replace": only is not None}, "option"
        )
        try:
            data, columns = _table.exported(part.table, self._core.needed)
            call, run = self._core.map_table(data, look, columns, part.only, part.failed, concurrency, self._authority())
        except Exception:
            # The library that reads the table does not name the row.
            _table.explain(part.table, self._core.needed)
            raise
        _file_run.log(part.notes)
        return part, call, run

    @_settings.guarded("an option of a run")
    def run(
        self,
        input: Path,
        output: Path,
        *,
        journal: Path | bool | None = None,
        fresh: bool = False,
        accept_changes: bool = False,
        force: bool = False,
        into: str | None = None,
        meta: bool = False,
        failed: Path | None = None,
        order: Order = "input",
        batch: bool = False,
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
        """Asks about every row of a file and writes another, like the command `rowcall run`; see `rowcall.run`.

        Args:
            input: CSV, TSV, JSON Lines, a JSON array or plain text (one row per line), optionally gzipped.
            output: JSON Lines or CSV. It is named `OUTPUT.part` until it is complete.
            journal: Where outcomes are recorded. Default, or True: `OUTPUT.journal`. False: nowhere.
            fresh: Remove the journal and start over.
            accept_changes: Continue although the journal was made with another model, prompt, schema or parameters.
            force: Overwrite an output that has no journal.
            into: Write the whole value under this name, instead of its fields next to the input's.
            meta: Add what each row took: requests, tokens, cost, time.
            failed: Also write failed rows to this file, as JSON Lines.
            order: The order of the output: `input`, or `completed` for rows as they complete.
            batch: Send the rows in batches, at the provider's price for batches. Results may take a day. If the run is cut off, the same call
                collects what was sent.
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
        """
        from . import _file_run

        _settings.check_concurrency(concurrency)
        options: FileOptions = {
            "journal": journal,
            "fresh": fresh,
            "accept_changes": accept_changes,
            "force": force,
            "into": into,
            "meta": meta,
            "failed": failed,
            "order": order,
            "batch": batch,
            "limit_rows": limit_rows,
            "input_format": input_format,
            "output_format": output_format,
            "encoding": encoding,
            "delimiter": delimiter,
            "quote": quote,
            "escape": escape,
            "skip_rows": skip_rows,
        }
        if failed_rows is not None:
            options["failed_rows"] = failed_rows
        settings = _file_run.settings(input, output, options, self._settings["journal"] is not None, self._model.fingerprint())
        return self._carried_out(self._core.run(settings, concurrency, self._authority()), output, options, progress)

    def _carried_out(self, call: Call, output: Path, options: FileOptions, progress: bool | None) -> Stats:
        from . import _file_run

        self._last_run = output, options.get("journal")
        _file_run.carry_out(call, self._counted(call, is_wanted(progress)))
        warn(call.warnings())
        return self.stats

    def rerun(
        self,
        output: Path | None = None,
        *,
        journal: Path | None = None,
        force: bool = False,
        concurrency: int | None = None,
        progress: bool | None = None,
    ) -> Stats:
        """Asks again about the failed rows of a run from file to file, and rewrites its output, like the command `rowcall rerun`.
        All rows are validated by the current model: a failed row's answer that is valid by now is accepted without asking, and a
        row whose value is no longer valid is asked about again. The rows come from the journal; the input is not needed.

        Args:
            output: The file that the run wrote. Default: that of this extractor's last run.
            journal: The run's journal. Default: `OUTPUT.journal`.
            force: Overwrite the output that the journal names, even if it may belong to another run. A given `output` is always
                overwritten.
            concurrency: The maximum number of requests in flight.
            progress: Show progress on stderr. Default: on a terminal and in a notebook.

        Raises:
            ConfigError: if the run kept no journal or is not finished.
        """
        from . import _file_run

        _settings.check_concurrency(concurrency)
        path = _file_run.journal_of(output, journal, self._last_run, self._settings["journal"] is not None)
        written = self._last_run[0] if output is None and journal is None and self._last_run else output
        options = {"journal": path, "output": None if written is None else _settings.path(written), "force": bool(force)}
        call = self._core.rerun(_settings.as_json(options, "option"), concurrency, self._authority())
        return self._carried_out(call, written if written is not None else path, {"journal": path}, progress)

    def _counted(self, call: Call, progress: bool) -> Counted:
        shown = bar(progress, call.progress()[2], self._model.name, beside(call, self._get_stats)) if progress else Nothing()
        return Counted(call, shown)

    def _get_stats(self) -> Stats:
        return self.stats


def _all(rows: Any, more: tuple[Any, ...]) -> Any:
    """The rows of `gather(rows)`, or of `gather(*rows)`."""
    return [rows, *more] if more else rows


def _take(call: Call) -> list[Outcome[Any]]:
    """The outcomes that are ready in a call that has not ended yet."""
    taken = call.take()
    if taken is None:
        raise Error("the call was cancelled before it had an outcome")
    return taken


_left_alone: list[Core] = []
