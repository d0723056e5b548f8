"""The extractor: from rows to values of a type, in the ways that users of asyncio know by name."""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar, overload

from . import _events, _loop, _model, _stats, _threads
from ._feed import Rows
from ._outcomes import Gathered, Outcomes
from ._rowcall import Call, Core, Feeder, Rules, Validator

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._files import Path
    from ._rowcall import Outcome
    from ._stats import Stats

T = TypeVar("T")

Mode = Literal["schema", "tool", "json", "prompt"]
"""How the schema is asked for: by the provider's own structured output, by a tool that the model is made to call, as a JSON object
with the schema in the prompt, or by the prompt alone."""

Protocol = Literal["chat", "responses", "anthropic", "gemini"]
"""How the server is spoken to."""


class Settings(TypedDict, total=False):
    """What an extractor may be told, beside the type and the model. What is left out is rowcall's or the provider's default."""

    system: str
    """What holds for every row: a template, sent as the protocol's system part."""
    base_url: str
    """Another address than the provider's own, such as `http://localhost:8000/v1`."""
    api_key: str
    """The key, in place of the one in the provider's environment variable."""
    headers: Mapping[str, str]
    """Further headers of every request. Their values are treated as secrets."""
    timeout: float
    """Seconds that an attempt may take."""
    ca_cert: str | os.PathLike[str]
    """A PEM file with certificate authorities to trust beside the system's."""
    concurrency: int
    """The most requests in flight; found out by rowcall if left out."""
    rpm: float
    """The most requests per minute."""
    tpm: float
    """The most tokens per minute, in and out together."""
    max_reasks: int
    """How often an invalid answer is asked for again, with what was wrong: 3 if left out."""
    retries: int
    """How often an attempt that failed is repeated: 5 if left out. Limits are waited out in any case."""
    mode: Mode
    """How the schema is asked for; by the best that the model has if left out."""
    protocol: Protocol
    """How the server is spoken to; as the provider is used to if left out."""
    temperature: float
    """Sampling temperature. Never sent unless asked for."""
    max_output_tokens: int
    """The most tokens an answer may have, reasoning included."""
    params: Mapping[str, Any]
    """Further fields of every request's body, as the provider names them."""
    context: Any
    """What Pydantic's validators find in `info.context`."""
    dedup: bool
    """Whether rows that would be asked the very same are asked once; they are, if left out."""
    on_event: _events.Callback
    """Called with each `Event`, from a thread of its own."""


class KeptSettings(Settings, total=False):
    """The settings of an extractor that may have a journal of its own."""

    journal: str | os.PathLike[str]
    """A file in which outcomes are kept as they come: what it knows is not asked again, in this process or a later one."""
    accept_changes: bool
    """Whether to go on with a journal that was made with another model, prompt, schema or parameters."""


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
        unknown = set(settings) - set(KeptSettings.__annotations__)
        if unknown:
            known = ", ".join(KeptSettings.__annotations__)
            raise TypeError(f"`{min(unknown)}` is no setting of an extractor, expected one of {known}")
        self._model = _model.model(response, settings.pop("context", None))
        self._rules = self._model.rules
        self._api_key = settings.pop("api_key", None)
        self._headers = list((settings.pop("headers", None) or {}).items())
        self._on_event = settings.pop("on_event", None)
        self._settings = _settings(self._model, model, prompt, settings)
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

    def map_table(self, table: Any, *, into: str | None = None, concurrency: int | None = None) -> Any:
        """The same table with the values' fields as further columns, and `_error` for rows without a value.

        Takes any table of Arrow's PyCapsule interface. pandas, Polars and pyarrow get their own kind back, with the columns that
        were there untouched; any other gets a `pyarrow.Table`, or a table of the PyCapsule interface if pyarrow is not installed.

        Args:
            table: A DataFrame, a table, a relation; its columns are the template's variables.
            into: A name for one column with the whole value, in place of a column for each field.
            concurrency: The most requests in flight.
        """
        from . import _table

        call, run = self._core.map_table(_table.exported(table), into, concurrency, self._authority())
        _until_end(call)
        return _table.joined(table, run)

    async def map_table_async(self, table: Any, *, into: str | None = None, concurrency: int | None = None) -> Any:
        """As `map_table`, for an event loop."""
        from . import _table

        call, run = self._core.map_table(_table.exported(table), into, concurrency, self._authority())
        try:
            while call.take() is not None:
                await _loop.wait(call)
        except BaseException:
            call.cancel()
            raise
        return _table.joined(table, run)

    def run(
        self,
        input: Path,
        output: Path,
        *,
        journal: Path | bool = True,
        fresh: bool = False,
        accept_changes: bool = False,
        force: bool = False,
        into: str | None = None,
        meta: bool = False,
        failed: Path | None = None,
        order: Literal["input", "completed"] = "input",
        limit_rows: int | None = None,
        input_format: str | None = None,
        output_format: str | None = None,
        concurrency: int | None = None,
        progress: bool = True,
    ) -> Stats:
        """Every row of a file to another file, as the command `rowcall run` does it; see `rowcall.run`."""
        from . import _files

        options = _files.options(
            input,
            output,
            # A journal of the extractor's own serves files as well.
            journal=journal if self._settings["journal"] is None else False,
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
        )
        call = self._core.run(options, concurrency, self._authority())
        _files.carry_out(self, call, progress, self._model.name)
        return self.stats


_left_alone: list[Core] = []


def _until_end(call: Call) -> None:
    try:
        while call.take() is not None:
            call.wait()
    except BaseException:
        call.cancel()
        raise


def _settings(made: _model.Model, model: str, prompt: str, given: KeptSettings) -> dict[str, Any]:
    journal = given.get("journal")
    return {
        "model": model,
        "schema": made.schema,
        "output_schema": made.output_schema,
        "prompt": prompt,
        "system": given.get("system"),
        "mode": given.get("mode"),
        "protocol": given.get("protocol"),
        "base_url": given.get("base_url"),
        "timeout": given.get("timeout"),
        "ca_cert": _path(given.get("ca_cert")),
        "concurrency": given.get("concurrency"),
        "most_connections": _most_connections(),
        "rpm": given.get("rpm"),
        "tpm": given.get("tpm"),
        "temperature": given.get("temperature"),
        "max_output_tokens": given.get("max_output_tokens"),
        "params": dict(given.get("params") or {}),
        "max_reasks": given.get("max_reasks"),
        "retries": given.get("retries"),
        "dedup": given.get("dedup", True),
        "journal": None
        if journal is None
        else {"path": os.fspath(journal), "accept_changes": given.get("accept_changes", False)},
    }


def _path(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else os.fspath(path)


def _most_connections() -> int | None:
    """How many requests may be in flight, one connection each: the limit on open files is raised as far as it goes."""
    try:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    except (ImportError, OSError, ValueError):
        return None
    return None if soft == resource.RLIM_INFINITY else max(soft - 64, 1)
