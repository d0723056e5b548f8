"""The extractor: from rows to values of a type, in the ways that users of asyncio know by name."""

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
from ._warnings import warn

if TYPE_CHECKING:
    from decimal import Decimal
    from types import TracebackType

    from pydantic import SecretStr
    from typing_extensions import Self, TypeForm, Unpack

    from ._failures import Failures
    from ._file_run import FileOptions, InputFormat, Order, OutputFormat, Path
    from ._rowcall import Outcome, TableRun
    from ._table import FailedRows, Part
    from ._model import Check
    from ._settings import KeptSettings, Mode, Protocol
    from ._stats import Stats

T_co = TypeVar("T_co", covariant=True)


class Extractor(Generic[T_co]):
    """A way from rows to values of a type. Limits, journal and statistics outlive each call.

    Args:
        response: What values are: a Pydantic model, a dataclass, a typed dict, a msgspec struct, a list of one of them, an enum, a
            literal, a scalar, or a JSON Schema as a dict, whose values are plain.
        model: `PROVIDER/MODEL`, such as `openai/gpt-6-luna`, with the key from the provider's variable (`OPENAI_API_KEY`);
            `sim` for a simulated provider on this machine.
        prompt: A template in Jinja's syntax, in which a string row is the variable `text`, and other rows are their fields.
        system: What holds for every row: a template, sent as the protocol's system part.
        examples: Rows with the values that they are to get, for the model to go by. Each goes along with every request.
        images: The fields that hold images or PDFs to go along: a file's path, an `https:` or a `data:` URL, or a list of them.
        check: A rule of yours: called with the row and its value, returns or raises what is wrong, for which the model is asked again.
        context: What Pydantic's validators find in `info.context`, or a function that gives it for a row; `info.context["row"]` is the
            row.
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
        journal: A file in which outcomes are kept as they come: what it knows is not asked again, in this process or a later one.
        retry_failed: Ask again about rows that failed, of those that the journal knows; an invalid answer that is valid by now is taken.
        accept_changes: Go on with a journal that was made with another model, prompt, schema or parameters.
        cache: A file with the answers of all runs and processes that share it: what is in it is not asked again, what is asked is put there.
        base_url: Another address than the provider's own, such as `http://localhost:8000/v1`.
        api_key: The key, in place of the one in the provider's environment variable.
        headers: Further headers of every request. Their values are treated as secrets.
        timeout: Seconds that an attempt may take; 600 if left out.
        ca_cert: A PEM file with certificate authorities to trust beside the system's.
        concurrency: The most requests in flight; found out by rowcall if left out.
        rpm: The most requests per minute, of this extractor; `Client` has limits for several.
        tpm: The most tokens per minute, in and out together.
        price: What the model's tokens cost, in US dollars for a million of them: `in=0.15,out=0.60`.
        prices: A file with a table of prices, in place of the one that is built in.
        budget: US dollars that all requests may cost together, those of earlier runs of the same journals included, such as `5` or `"0.50"`.
        protocol: How the server is spoken to: `chat`, `responses`, `anthropic` or `gemini`; as the provider is used to if left out.
        dialect: The subset of JSON Schema that the server holds a model to, such as `xgrammar`; the provider's usual one if left out.
            `auto` asks the server, by a few tiny requests, when the extractor is made; a name that ends in `.json` is that of a file with
            what `rowcall schema --probe --json` found.

    Raises:
        ConfigError: for whatever of it cannot be. Nothing is sent.
        TypeError: if `response` is no type that values can be validated by.
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

    @_settings.guarded("setting of an extractor")
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
        self._settings = _settings.told(model, client._settings, prompt, task)
        self._process = os.getpid()
        self._made = self._make()

    def _make(self) -> Core:
        events = _events.watch(self._on_event)
        self._end_events = None if events is None else weakref.finalize(self, events.close)
        told = _settings.as_json(self._settings, "setting")
        try:
            return Core(self._client._account, told, events)
        except BaseException:
            if self._end_events is not None:
                self._end_events()
            raise

    @property
    def _core(self) -> Core:
        if self._process != os.getpid():
            # In a forked child the parent's connections and threads are of no use, nor can they be tidied up.
            _left_alone.append(self._made)
            self._made, self._process = self._make(), os.getpid()
        return self._made

    def _authority(self) -> tuple[Rules, Validator] | None:
        return None if self._rules is None else (self._rules, _threads.validator())

    def __reduce__(self) -> str:
        raise TypeError("an extractor cannot be pickled or copied: it has connections and threads; make one in each process")

    def close(self) -> None:
        """Lets go of the journal, the connections and a simulator, which happens by itself when nobody has the extractor any more.
        Calls that are under way should be over; it waits until those that were cancelled are, so that the journal can be opened again at
        once. `stats` and `failures()` stay."""
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

        # What is written last may take the disk a moment, for which the event loop need not wait.
        await asyncio.to_thread(self.close)

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            meant = _words.method(name)
            raise AttributeError(f"an extractor has no `{name}`" + ("" if meant is None else f": {meant}"), name=name, obj=self)

    def __repr__(self) -> str:
        if "_settings" not in self.__dict__:
            # It could not be made, and a report shows what there is of it.
            return "<rowcall.Extractor>"
        return f"<rowcall.Extractor of {self._model.name} by {self._client._settings['model']}>"

    def _repr_html_(self) -> str:
        """A table for notebooks: whom it asks, for what, and what has happened."""
        told = [("model", self._client._settings["model"]), ("values", self._model.name), ("prompt", _shown.short(self._settings["prompt"]))]
        return _shown.rows("rowcall.Extractor", told) + self.stats._repr_html_()

    @property
    def stats(self) -> Stats:
        """What has happened so far, in all calls."""
        return _stats.stats(self._core.stats())

    def failures(self) -> Failures:
        """The rows that failed, of all calls, the latest last: index, kind, message, the field of the first violation, and the answer. At
        most 1,000 are kept, the latest ones; `stats.failed` and `stats.reasons` count all."""
        return _failures.failures(self._core.failures())

    @property
    def variables(self) -> list[str]:
        """The variables of the template that every row must bring."""
        return self._core.variables()

    def preview(self, row: Any) -> tuple[str, Any]:
        """The address and the body of the first request about `row`, exactly as they would go out. Nothing is sent."""
        url, body = self._core.preview(row)
        return url, json.loads(body)

    # One row.

    async def extract(self, row: Any) -> T_co:
        """The value for one row: a string, a dict, a model or a dataclass.

        Raises:
            RowError: one of its subclasses, if there is no value.
        """
        call = self._core.extract(row, self._authority())
        try:
            while not (taken := _going_on(call)):
                await _loop.wait(call)
            warn(call.warnings())
            return taken[0].value  # type: ignore[no-any-return]
        except BaseException:
            call.cancel()
            taken = []
            raise

    def extract_sync(self, row: Any) -> T_co:
        """As `extract`, without asyncio; also while an event loop is running, which it blocks."""
        call = self._core.extract(row, self._authority())
        try:
            while not (taken := _going_on(call)):
                call.wait()
            warn(call.warnings())
            return taken[0].value  # type: ignore[no-any-return]
        except BaseException:
            call.cancel()
            taken = []
            raise

    # Many rows.

    def _outcomes(
        self, order: str, rows: Rows, concurrency: int | None, progress: bool, *, keeps: bool = False
    ) -> Outcomes[T_co]:
        _settings.check_concurrency(concurrency)

        def start(feeder: Feeder) -> Call:
            # Where all outcomes are held until the end, completions would be most of them.
            return self._core.start(feeder, order, concurrency, self._authority(), not keeps)

        return Outcomes(start, rows, progress, self._model.name, self._told, keeps=keeps)

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
        """Outcomes as they are completed, for `async for` or `for`, each with its row's `index`. Failed rows are outcomes as
        well, whose `value` raises. Rows may be of any number: they are taken as there is room."""
        return self._outcomes("completed", rows, concurrency, progress)

    def ordered(self, rows: Rows, *, concurrency: int | None = None, progress: bool = False) -> Outcomes[T_co]:
        """As `as_completed`, in the order of the rows."""
        return self._outcomes("input", rows, concurrency, progress)

    @overload
    async def gather(
        self,
        rows: Rows,
        *more: Any,
        return_exceptions: Literal[False] = False,
        concurrency: int | None = None,
        progress: bool = False,
    ) -> list[T_co]: ...

    @overload
    async def gather(
        self, rows: Rows, *more: Any, return_exceptions: bool, concurrency: int | None = None, progress: bool = False
    ) -> list[T_co | BaseException]: ...

    async def gather(
        self, rows: Rows, *more: Any, return_exceptions: bool = False, concurrency: int | None = None, progress: bool = False
    ) -> Any:
        """All values, asked for at once, in the order of the rows, which may be given one by one: `gather(*rows)`.

        The first failure in time is raised and cancels the other rows, as `asyncio.TaskGroup` does; `asyncio.gather` would let
        them run on. With `return_exceptions=True` exceptions stand in the places of values.

        Whatever ends it early, Ctrl-C included, has an attribute `outcomes` with the outcomes of the rows that were done.

        Raises:
            RowError: the first failure; or, in any case, what every row would meet, such as a key that is not accepted.
        """
        outcomes = self._outcomes("completed", _all(rows, more), concurrency, progress, keeps=True)
        return await self._gathered(outcomes, return_exceptions)

    @overload
    def gather_sync(
        self,
        rows: Rows,
        *more: Any,
        return_exceptions: Literal[False] = False,
        concurrency: int | None = None,
        progress: bool = False,
    ) -> list[T_co]: ...

    @overload
    def gather_sync(
        self, rows: Rows, *more: Any, return_exceptions: bool, concurrency: int | None = None, progress: bool = False
    ) -> list[T_co | BaseException]: ...

    def gather_sync(
        self, rows: Rows, *more: Any, return_exceptions: bool = False, concurrency: int | None = None, progress: bool = False
    ) -> Any:
        """As `gather`, without asyncio."""
        outcomes = self._outcomes("completed", _all(rows, more), concurrency, progress, keeps=True)
        return self._gathered_sync(outcomes, return_exceptions)

    async def sequential(self, rows: Rows, *, progress: bool = False) -> list[T_co]:
        """All values, one request after another, up to the first failure. `gather(rows, concurrency=1, return_exceptions=True)` goes on."""
        return await self._gathered(self._one_by_one(rows, progress), False)

    def sequential_sync(self, rows: Rows, *, progress: bool = False) -> list[T_co]:
        """As `sequential`, without asyncio."""
        return self._gathered_sync(self._one_by_one(rows, progress), False)

    def _one_by_one(self, rows: Rows, progress: bool) -> Outcomes[T_co]:
        def start(feeder: Feeder) -> Call:
            return self._core.sequential(feeder, self._authority())

        return Outcomes(start, rows, progress, self._model.name, self._told, keeps=True)

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
        """`gather` with at most so many requests in flight: the guide's `rate_limited_gather`, without a semaphore."""
        return await self.gather(rows, concurrency=concurrency, return_exceptions=return_exceptions, progress=progress)

    def rate_limited_as_completed(self, rows: Rows, concurrency: int = 2) -> Outcomes[T_co]:
        """`as_completed` with at most so many requests in flight: the guide's `rate_limited_as_completed`."""
        return self.as_completed(rows, concurrency=concurrency)

    def map(self, rows: Rows, *, concurrency: int | None = None, progress: bool = False) -> Generator[T_co, None, None]:
        """The values in the order of the rows, of any number, without asyncio. Closing it cancels what is under way.

        Raises:
            RowError: at the first row that has no value; `ordered` gives outcomes and goes on.
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
        """The same table with the values' fields as further columns, and `_error` for rows without a value.

        Takes any table of Arrow's PyCapsule interface. pandas, Polars and pyarrow get their own kind back, with the columns that
        were there untouched; any other gets a `pyarrow.Table`, or a table of the PyCapsule interface if pyarrow is not installed.

        Args:
            table: A DataFrame, a table, a relation; its columns are the template's variables.
            into: A name for one column with the whole value, in place of a column for each field.
            prefix: What the names of the values' columns begin with.
            flatten: A column for each nested field, such as `address.city`, and lists, maps and `_error` as text, for CSV.
            meta: A column `_meta` with what each row took: requests, tokens, US dollars, seconds, the model.
            only: Which rows to ask about: True or False for each. The others keep what the table has in these columns already, so that
                some rows of an earlier result can be asked again: `only=result["_error"].notna()`.
            failed_rows: What becomes of rows that failed in an earlier step, by the table's `_error`: `error`, they fail again without
                being asked; `skip`, they are left out; `ask`, they are asked about.
            concurrency: The most requests in flight.
            progress: Show how far it is, on stderr.

        Whatever ends it early, Ctrl-C included, has an attribute `outcomes` with the table so far; `_error.kind` of rows that were
        not done is `abandoned`.
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
        """As `map_table`, for an event loop."""
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
            # The library that reads it names no row.
            _table.explain(part.table, self._core.needed)
            raise
        _file_run.log(part.notes)
        return part, call, run

    @_settings.guarded("option of a run")
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
        """Every row of a file to another file, as the command `rowcall run` does it; see `rowcall.run`.

        Args:
            input: CSV, TSV, JSON Lines, a JSON array or text (a row a line), also gzipped.
            output: JSON Lines or CSV. It is named `OUTPUT.part` until it is complete.
            journal: Where outcomes are kept: `OUTPUT.journal` for True or if left out, nowhere for False.
            fresh: Remove the journal and start over.
            accept_changes: Go on although the journal was made with another model, prompt, schema or parameters.
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
        told = _file_run.told(input, output, options, self._settings["journal"] is not None, self._model.fingerprint())
        return self._carried_out(self._core.run(told, concurrency, self._authority()), output, options, progress)

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
        concurrency: int | None = None,
        progress: bool | None = None,
    ) -> Stats:
        """Asks again about the rows that failed in a run from file to file, and writes its output anew, as the command `rowcall rerun` does.
        Your model has the last word on all rows: a failed row's answer that is valid by now is taken without asking, and a value that is
        not valid any more is asked again. The rows are those of the journal: the input is not needed.

        Args:
            output: The file that the run wrote; the one of this extractor's last run if left out.
            journal: The run's journal; `OUTPUT.journal` if left out.
            concurrency: The most requests in flight.
            progress: Show how far it is, on stderr: on a terminal and in a notebook if left out.

        Raises:
            ConfigError: for a run that kept no journal or has not come to its end.
        """
        from . import _file_run

        _settings.check_concurrency(concurrency)
        path = _file_run.journal_of(output, journal, self._last_run, self._settings["journal"] is not None)
        written = self._last_run[0] if output is None and journal is None and self._last_run else output
        told = _settings.as_json({"journal": path, "output": None if written is None else _settings.path(written)}, "option")
        call = self._core.rerun(told, concurrency, self._authority())
        return self._carried_out(call, written if written is not None else path, {"journal": path}, progress)

    def _counted(self, call: Call, progress: bool) -> Counted:
        shown = bar(progress, call.progress()[2], self._model.name, beside(call, self._told)) if progress else Nothing()
        return Counted(call, shown)

    def _told(self) -> Stats:
        return self.stats


def _all(rows: Any, more: tuple[Any, ...]) -> Any:
    """The rows of `gather(rows)`, or of `gather(*rows)`."""
    return [rows, *more] if more else rows


def _going_on(call: Call) -> list[Outcome[Any]]:
    """What there is to take of a call whose end has not come yet."""
    taken = call.take()
    if taken is None:
        raise Error("the call was given up before its outcome was there")
    return taken


_left_alone: list[Core] = []
