"""The extractor: from rows to values of a type, in the ways that users of asyncio know by name."""

from __future__ import annotations

import json
import os
import sys
import weakref
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from . import _events, _kept, _loop, _model, _settings, _stats, _threads
from ._errors import Error
from ._feed import Rows
from ._outcomes import Gathered, Outcomes
from ._progress import EVERY, Counted, bar
from ._rowcall import Call, Core, Feeder, Rules, Validator
from ._warnings import warn

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from ._file_run import FileOptions, Path
    from ._rowcall import Outcome, TableRun
    from ._settings import KeptSettings
    from ._stats import Stats

T_co = TypeVar("T_co", covariant=True)

class Extractor(Generic[T_co]):
    """A way from rows to values of a type.

    Args:
        response: What values are: a Pydantic model, a dataclass, a typed dict, a msgspec struct, a list of one of them, an enum, a
            literal, a scalar, or a JSON Schema as a dict, whose values are plain.
        model: `PROVIDER/MODEL`, such as `openai/gpt-6-luna`, with the key from the provider's variable (`OPENAI_API_KEY`);
            `sim` for a simulated provider on this machine.
        prompt: A template in Jinja's syntax, in which a string row is the variable `text`, and other rows are their fields.
        **settings: See `Settings` and `KeptSettings`.

    Raises:
        ConfigError: for whatever of it cannot be. Nothing is sent.
        TypeError: if `response` is no type that values can be validated by.

    Limits, journal and statistics belong to the extractor and outlive each call.
    """

    @overload
    def __init__(
        self: Extractor[T_co],
        response: type[T_co],
        *,
        model: str,
        prompt: str = ...,
        **settings: Unpack[KeptSettings],
    ) -> None: ...

    @overload
    def __init__(
        self: Extractor[Any],
        response: Any,
        *,
        model: str,
        prompt: str = ...,
        **settings: Unpack[KeptSettings],
    ) -> None: ...

    def __init__(
        self,
        response: Any,
        *,
        model: str,
        prompt: str = "{{ text }}",
        **settings: Unpack[KeptSettings],
    ) -> None:
        self._api_key, self._headers = _settings.secrets(settings)  # type: ignore[arg-type]
        _settings.check_names(settings, _settings.KeptSettings, "setting of an extractor")
        self._model = _model.model(response, settings.pop("context", None))
        self._rules = self._model.rules
        self._on_event = settings.pop("on_event", None)
        if self._on_event is not None and not callable(self._on_event):
            raise TypeError(f"`on_event` is a `{type(self._on_event).__name__}`, expected a function that takes an event")
        self._settings = _settings.told(self._model, model, prompt, settings)
        self._process = os.getpid()
        self._made = self._make()

    def _make(self) -> Core:
        events = _events.watch(self._on_event)
        self._end_events = None if events is None else weakref.finalize(self, events.close)
        told = _settings.as_json(self._settings, "setting")
        try:
            return Core(told, self._api_key.get_secret_value(), self._headers.get_secret_value(), events)
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
        Calls that are under way should be over; `stats` stays."""
        if self._process == os.getpid():
            self._made.close()
        if self._end_events is not None:
            self._end_events()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_settings"):
            # It could not be made, and a report shows what there is of it.
            return "<rowcall.Extractor>"
        return f"<rowcall.Extractor of {self._model.name} by {self._settings['model']}>"

    @property
    def stats(self) -> Stats:
        """What has happened so far, in all calls."""
        return _stats.stats(self._core.stats())

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
            return self._core.start(feeder, order, concurrency, self._authority())

        return Outcomes(start, rows, progress, self._model.name, keeps=keeps)

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
        *,
        return_exceptions: Literal[False] = False,
        concurrency: int | None = None,
        progress: bool = False,
    ) -> list[T_co]: ...

    @overload
    async def gather(
        self, rows: Rows, *, return_exceptions: bool, concurrency: int | None = None, progress: bool = False
    ) -> list[T_co | BaseException]: ...

    async def gather(
        self, rows: Rows, *, return_exceptions: bool = False, concurrency: int | None = None, progress: bool = False
    ) -> Any:
        """All values, asked for at once, in the order of the rows.

        The first failure in time is raised and cancels the other rows, as `asyncio.TaskGroup` does; `asyncio.gather` would let
        them run on. With `return_exceptions=True` exceptions stand in the places of values.

        Whatever ends it early, Ctrl-C included, has an attribute `outcomes` with the outcomes of the rows that were done.

        Raises:
            RowError: the first failure; or, in any case, what every row would meet, such as a key that is not accepted.
        """
        outcomes = self._outcomes("completed", rows, concurrency, progress, keeps=True)
        return await self._gathered(outcomes, return_exceptions)

    @overload
    def gather_sync(
        self,
        rows: Rows,
        *,
        return_exceptions: Literal[False] = False,
        concurrency: int | None = None,
        progress: bool = False,
    ) -> list[T_co]: ...

    @overload
    def gather_sync(
        self, rows: Rows, *, return_exceptions: bool, concurrency: int | None = None, progress: bool = False
    ) -> list[T_co | BaseException]: ...

    def gather_sync(
        self, rows: Rows, *, return_exceptions: bool = False, concurrency: int | None = None, progress: bool = False
    ) -> Any:
        """As `gather`, without asyncio."""
        outcomes = self._outcomes("completed", rows, concurrency, progress, keeps=True)
        return self._gathered_sync(outcomes, return_exceptions)

    async def sequential(self, rows: Rows) -> list[T_co]:
        """All values, one request after another."""
        return await self._gathered(self._one_by_one(rows), False)

    def sequential_sync(self, rows: Rows) -> list[T_co]:
        """As `sequential`, without asyncio."""
        return self._gathered_sync(self._one_by_one(rows), False)

    def _one_by_one(self, rows: Rows) -> Outcomes[T_co]:
        def start(feeder: Feeder) -> Call:
            return self._core.sequential(feeder, self._authority())

        return Outcomes(start, rows, False, self._model.name, keeps=True)

    async def rate_limited_gather(self, rows: Rows, concurrency: int = 2) -> list[T_co]:
        """`gather` with at most so many requests in flight: the guide's `rate_limited_gather`, without a semaphore."""
        return await self.gather(rows, concurrency=concurrency)

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
        self, table: Any, *, into: str | None = None, concurrency: int | None = None, progress: bool = False
    ) -> Any:
        """The same table with the values' fields as further columns, and `_error` for rows without a value.

        Takes any table of Arrow's PyCapsule interface. pandas, Polars and pyarrow get their own kind back, with the columns that
        were there untouched; any other gets a `pyarrow.Table`, or a table of the PyCapsule interface if pyarrow is not installed.

        Args:
            table: A DataFrame, a table, a relation; its columns are the template's variables.
            into: A name for one column with the whole value, in place of a column for each field.
            concurrency: The most requests in flight.
            progress: Show how far it is, on stderr.

        Whatever ends it early, Ctrl-C included, has an attribute `outcomes` with the table so far; `_error.kind` of rows that were
        not done is `abandoned`.
        """
        from . import _table

        call, run = self._table_run(table, into, concurrency)
        try:
            with self._counted(progress, _table.rows(table)) as shown:
                while call.take() is not None:
                    call.wait(EVERY)
                    shown.look()
        except BaseException as error:
            call.cancel()
            _table.keep(error, table, run, self._journal())
            raise
        warn(call.warnings())
        return _table.joined(table, run)

    async def map_table_async(
        self, table: Any, *, into: str | None = None, concurrency: int | None = None, progress: bool = False
    ) -> Any:
        """As `map_table`, for an event loop."""
        from . import _table

        call, run = self._table_run(table, into, concurrency)
        try:
            with self._counted(progress, _table.rows(table)) as shown:
                while call.take() is not None:
                    await _loop.wait(call, EVERY)
                    shown.look()
        except BaseException as error:
            call.cancel()
            _table.keep(error, table, run, self._journal())
            raise
        warn(call.warnings())
        return _table.joined(table, run)

    def _table_run(self, table: Any, into: str | None, concurrency: int | None) -> tuple[Call, TableRun]:
        from . import _table

        _settings.check_concurrency(concurrency)
        data, columns = _table.exported(table, self._core.needed)
        return self._core.map_table(data, columns, into, concurrency, self._authority())

    def run(
        self, input: Path, output: Path, *, concurrency: int | None = None, **options: Unpack[FileOptions]
    ) -> Stats:
        """Every row of a file to another file, as the command `rowcall run` does it; see `rowcall.run`."""
        from . import _file_run

        _settings.check_concurrency(concurrency)
        told = _file_run.told(input, output, options, self._settings["journal"] is not None)
        call = self._core.run(told, concurrency, self._authority())
        progress = options.get("progress", True) and sys.stderr.isatty()
        _file_run.carry_out(call, self._counted(progress, None))
        warn(call.warnings())
        return self.stats

    def _counted(self, progress: bool, total: int | None) -> Counted:
        return Counted(lambda: self.stats.ended, bar(progress, total, self._model.name))


def _going_on(call: Call) -> list[Outcome[Any]]:
    """What there is to take of a call whose end has not come yet."""
    taken = call.take()
    if taken is None:
        raise Error("the call was given up before its outcome was there")
    return taken


_left_alone: list[Core] = []
