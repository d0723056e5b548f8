"""The extractor: from rows to values of a type, in the ways that users of asyncio know by name."""

from __future__ import annotations

import json
import os
import sys
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from . import _events, _loop, _model, _settings, _stats, _threads
from ._feed import Rows
from ._outcomes import Gathered, Outcomes
from ._progress import EVERY, Counted, bar
from ._rowcall import Call, Core, Feeder, Rules, Validator

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._file_run import FileOptions, Path
    from ._rowcall import Outcome, TableRun
    from ._settings import KeptSettings
    from ._stats import Stats

T = TypeVar("T")

class Extractor(Generic[T]):
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
        self: Extractor[T],
        response: type[T],
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
        _settings.check_names(settings, _settings.KeptSettings, "setting of an extractor")
        self._model = _model.model(response, settings.pop("context", None))
        self._rules = self._model.rules
        self._api_key = settings.pop("api_key", None)
        self._headers = list((settings.pop("headers", None) or {}).items())
        self._on_event = settings.pop("on_event", None)
        self._settings = _settings.told(self._model, model, prompt, settings)
        self._process = os.getpid()
        self._made = self._make()

    def _make(self) -> Core:
        events = _events.watch(self._on_event)
        if events is not None:
            weakref.finalize(self, events.close)
        return Core(json.dumps(self._settings), self._api_key, self._headers, events)

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

    def __repr__(self) -> str:
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

    async def extract(self, row: Any) -> T:
        """The value for one row: a string, a dict, a model or a dataclass.

        Raises:
            RowError: one of its subclasses, if there is no value.
        """
        call = self._core.extract(row, self._authority())
        try:
            while not (taken := call.take()):
                await _loop.wait(call)
        except BaseException:
            call.cancel()
            raise
        return taken[0].value  # type: ignore[no-any-return]

    def extract_sync(self, row: Any) -> T:
        """As `extract`, without asyncio; also while an event loop is running, which it blocks."""
        call = self._core.extract(row, self._authority())
        try:
            while not (taken := call.take()):
                call.wait()
        except BaseException:
            call.cancel()
            raise
        return taken[0].value  # type: ignore[no-any-return]

    # Many rows.

    def _outcomes(self, order: str, rows: Rows, concurrency: int | None, progress: bool) -> Outcomes[T]:
        if concurrency is not None and concurrency < 1:
            raise ValueError(f"concurrency `{concurrency}` sends nothing, expected at least 1")

        def start(feeder: Feeder) -> Call:
            return self._core.start(feeder, order, concurrency, self._authority())

        return Outcomes(start, rows, progress, self._model.name)

    def as_completed(self, rows: Rows, *, concurrency: int | None = None, progress: bool = False) -> Outcomes[T]:
        """Outcomes as they are completed, for `async for` or `for`, each with its row's `index`. Failed rows are outcomes as
        well, whose `value` raises. Rows may be of any number: they are taken as there is room."""
        return self._outcomes("completed", rows, concurrency, progress)

    def ordered(self, rows: Rows, *, concurrency: int | None = None, progress: bool = False) -> Outcomes[T]:
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
    ) -> list[T]: ...

    @overload
    async def gather(
        self, rows: Rows, *, return_exceptions: bool, concurrency: int | None = None, progress: bool = False
    ) -> list[T | BaseException]: ...

    async def gather(
        self, rows: Rows, *, return_exceptions: bool = False, concurrency: int | None = None, progress: bool = False
    ) -> Any:
        """All values, asked for at once, in the order of the rows.

        The first failure in time is raised and cancels the other rows, as `asyncio.TaskGroup` does; `asyncio.gather` would let
        them run on. With `return_exceptions=True` exceptions stand in the places of values.

        Raises:
            RowError: the first failure; or, in any case, what every row would meet, such as a key that is not accepted.
        """
        gathered = Gathered(return_exceptions)
        outcomes = self._outcomes("completed", rows, concurrency, progress)
        with outcomes:
            async for batch in outcomes.async_batches():
                gathered.add(batch)
        return gathered.values

    @overload
    def gather_sync(
        self,
        rows: Rows,
        *,
        return_exceptions: Literal[False] = False,
        concurrency: int | None = None,
        progress: bool = False,
    ) -> list[T]: ...

    @overload
    def gather_sync(
        self, rows: Rows, *, return_exceptions: bool, concurrency: int | None = None, progress: bool = False
    ) -> list[T | BaseException]: ...

    def gather_sync(
        self, rows: Rows, *, return_exceptions: bool = False, concurrency: int | None = None, progress: bool = False
    ) -> Any:
        """As `gather`, without asyncio."""
        gathered = Gathered(return_exceptions)
        with self._outcomes("completed", rows, concurrency, progress) as outcomes:
            for batch in outcomes.batches():
                gathered.add(batch)
        return gathered.values

    async def sequential(self, rows: Rows) -> list[T]:
        """All values, one request after another."""
        gathered = Gathered(False)
        with self._one_by_one(rows) as outcomes:
            async for batch in outcomes.async_batches():
                gathered.add(batch)
        return gathered.values

    def sequential_sync(self, rows: Rows) -> list[T]:
        """As `sequential`, without asyncio."""
        gathered = Gathered(False)
        with self._one_by_one(rows) as outcomes:
            for batch in outcomes.batches():
                gathered.add(batch)
        return gathered.values

    def _one_by_one(self, rows: Rows) -> Outcomes[T]:
        def start(feeder: Feeder) -> Call:
            return self._core.sequential(feeder, self._authority())

        return Outcomes(start, rows, False, self._model.name)

    async def rate_limited_gather(self, rows: Rows, concurrency: int = 2) -> list[T]:
        """`gather` with at most so many requests in flight: the guide's `rate_limited_gather`, without a semaphore."""
        return await self.gather(rows, concurrency=concurrency)

    def rate_limited_as_completed(self, rows: Rows, concurrency: int = 2) -> Outcomes[T]:
        """`as_completed` with at most so many requests in flight: the guide's `rate_limited_as_completed`."""
        return self.as_completed(rows, concurrency=concurrency)

    def map(self, rows: Rows, *, concurrency: int | None = None, progress: bool = False) -> Iterator[T]:
        """The values in the order of the rows, of any number, without asyncio.

        Raises:
            RowError: at the first row that has no value; `ordered` gives outcomes and goes on.
        """
        with self.ordered(rows, concurrency=concurrency, progress=progress) as outcomes:
            for outcome in outcomes:
                yield outcome.value

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
        """
        from . import _table

        call, run = self._table_run(table, into, concurrency)
        try:
            with self._counted(progress, _table.rows(table)) as shown:
                while call.take() is not None:
                    call.wait(EVERY)
                    shown.look()
        except BaseException:
            call.cancel()
            raise
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
        except BaseException:
            call.cancel()
            raise
        return _table.joined(table, run)

    def _table_run(self, table: Any, into: str | None, concurrency: int | None) -> tuple[Call, TableRun]:
        from . import _table

        data, columns = _table.exported(table, _settings.needs(self._settings))
        return self._core.map_table(data, columns, into, concurrency, self._authority())

    def run(
        self, input: Path, output: Path, *, concurrency: int | None = None, **options: Unpack[FileOptions]
    ) -> Stats:
        """Every row of a file to another file, as the command `rowcall run` does it; see `rowcall.run`."""
        from . import _file_run

        told = _file_run.told(input, output, options, self._settings["journal"] is not None)
        call = self._core.run(told, concurrency, self._authority())
        progress = options.get("progress", True) and sys.stderr.isatty()
        _file_run.carry_out(call, self._counted(progress, None))
        return self.stats

    def _counted(self, progress: bool, total: int | None) -> Counted:
        return Counted(lambda: self.stats.ended, bar(progress, total, self._model.name))


_left_alone: list[Core] = []
