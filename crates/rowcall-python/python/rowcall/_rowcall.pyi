"""The engine. Use the package `rowcall`, not this module, which may change at any time."""

from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, TypeVar, final

from ._errors import RowError

_T_co = TypeVar("_T_co", covariant=True)

__version__: str

def command(arguments: Sequence[str]) -> int: ...
def report(journal: str) -> str: ...
@final
class Usage:
    """Tokens, as counted by the provider."""

    def __new__(
        cls,
        input_tokens: int = 0,
        cached_tokens: int = 0,
        cache_write_tokens: int = 0,
        output_tokens: int = 0,
        reasoning_tokens: int = 0,
        cache_write_long_tokens: int = 0,
    ) -> Usage: ...
    @property
    def input_tokens(self) -> int:
        """All tokens of the prompts."""
    @property
    def cached_tokens(self) -> int:
        """Of these, read from the provider's prompt cache."""
    @property
    def cache_write_tokens(self) -> int:
        """Of these, written to the provider's prompt cache."""
    @property
    def cache_write_long_tokens(self) -> int:
        """Of those written, with a long lifetime: an hour at Anthropic, twelve at OpenAI."""
    @property
    def output_tokens(self) -> int:
        """All tokens of the answers, reasoning included."""
    @property
    def reasoning_tokens(self) -> int:
        """Of these, spent on reasoning."""
    @property
    def total_tokens(self) -> int:
        """Tokens in and out together."""

@final
class Outcome(Generic[_T_co]):
    """How a row ended: its value or its exception, and its usage."""

    @property
    def index(self) -> int:
        """Position of the row in the input, counted from 0."""
    @property
    def value(self) -> _T_co:
        """The value. Raises the row's exception if there is none."""
    def __await__(self) -> Generator[Any, None, _T_co]:
        """The value, without waiting: for loops written for `asyncio.as_completed`."""
    @property
    def row(self) -> Any:
        """The row itself, as it was given."""
    @property
    def completion(self) -> Any:
        """The last answer as the provider sent it: the whole response body, or for a stream the list of its events. `None` if the row was
        not asked about in this call, and in the outcomes that `gather`, `sequential` and `map` attach to an exception."""
    @property
    def error(self) -> RowError | None:
        """Why there is no value; `None` if there is one."""
    @property
    def ok(self) -> bool:
        """Whether there is a value."""
    @property
    def usage(self) -> Usage:
        """Tokens of all attempts that reported them, re-asks and failed attempts included."""
    @property
    def attempts(self) -> int:
        """Requests sent."""
    @property
    def prompts(self) -> int:
        """Prompts sent: 1 plus the re-asks."""
    @property
    def unmetered(self) -> int:
        """Attempts that may have been billed but reported no tokens."""
    @property
    def cost(self) -> float:
        """US dollars that all attempts cost, as far as known."""
    @property
    def cost_unknown(self) -> int:
        """Attempts that may have cost an unknown amount."""
    @property
    def latency(self) -> float:
        """Seconds from the first request sent to the last answer received."""
    @property
    def repairs(self) -> list[str]:
        """Repairs that were needed to read the value from the answer, such as `fence`."""
    @property
    def model(self) -> str | None:
        """The model that answered last, as the server named it."""
    @property
    def finish_reason(self) -> str | None:
        """The provider's reason for the end of the last answer."""
    @property
    def from_cache(self) -> bool:
        """Whether the value comes from the cache, so that nothing was sent for it in this call."""
    def _repr_html_(self) -> str: ...

@final
class Bell:
    def __new__(cls) -> Bell: ...
    def fileno(self) -> int: ...
    def take(self) -> list[int]: ...

@final
class Feeder:
    def __new__(cls, total: int | None = None) -> Feeder: ...
    def offer(self, row: Any) -> bool: ...
    def push(self, row: Any) -> bool: ...
    def is_wanted(self) -> bool: ...
    def listen(self, bell: Bell, number: int) -> bool: ...
    def unlisten(self, number: int) -> None: ...
    def end(self) -> None: ...
    def fail(self, message: str) -> None: ...
    def desert(self) -> None: ...

@final
class Estimating:
    def add(self, row: Any) -> None: ...
    def estimate(self) -> dict[str, Any]: ...

@final
class Rules:
    def __new__(
        cls,
        validate: Any,
        explain: Any,
        dump: Any,
        keywords: dict[str, Any] | None = None,
        of_row: Any = None,
        check: Any = None,
        has_schema: bool = False,
    ) -> Rules: ...

@final
class Validator:
    def __new__(cls) -> Validator: ...
    def serve(self, begin: Callable[[], None]) -> None: ...
    def close(self) -> None: ...

@final
class Events:
    def __new__(cls) -> Events: ...
    def take(self) -> list[tuple[int, str, dict[str, Any] | None, float]] | None: ...
    @property
    def missed(self) -> int: ...
    def close(self) -> None: ...

@final
class Call:
    def take(self) -> list[Outcome[Any]] | None: ...
    def wait(self, seconds: float | None = None) -> None: ...
    def listen(self, bell: Bell, number: int) -> bool: ...
    def unlisten(self, number: int) -> None: ...
    def warnings(self) -> list[str]: ...
    def notes(self) -> list[str]: ...
    def last_notes(self) -> list[str]: ...
    def progress(self) -> tuple[int, int, int | None]: ...
    def adjust(self, changes: str) -> None: ...
    def is_paused(self) -> bool: ...
    def halt(self) -> None: ...
    def cancel(self) -> None: ...

@final
class TableRun:
    def table(self, joined: bool) -> Any: ...

@final
class Account:
    def __new__(
        cls, settings: str, api_key: str | None = None, headers: list[tuple[str, str]] = ...
    ) -> Account: ...
    def close(self) -> None: ...

@final
class Core:
    def __new__(cls, account: Account, settings: str, events: Events | None = None) -> Core: ...
    def extract(self, row: Any, authority: tuple[Rules, Validator] | None = None) -> Call: ...
    def sequential(self, feeder: Feeder, authority: tuple[Rules, Validator] | None = None) -> Call: ...
    def start(
        self,
        feeder: Feeder,
        order: str,
        concurrency: int | None = None,
        authority: tuple[Rules, Validator] | None = None,
        completions: bool = True,
        batch: bool = False,
    ) -> Call: ...
    def map_table(
        self,
        data: Any,
        look: str,
        columns: list[str] | None = None,
        only: list[bool] | None = None,
        failed: list[tuple[int, str]] = ...,
        concurrency: int | None = None,
        authority: tuple[Rules, Validator] | None = None,
    ) -> tuple[Call, TableRun]: ...
    def run(
        self, options: str, concurrency: int | None = None, authority: tuple[Rules, Validator] | None = None
    ) -> Call: ...
    def rerun(
        self, options: str, concurrency: int | None = None, authority: tuple[Rules, Validator] | None = None
    ) -> Call: ...
    def adjust(self, changes: str) -> None: ...
    def failures(self) -> list[list[Any]]: ...
    def stats(self) -> dict[str, Any]: ...
    def close(self) -> None: ...
    def variables(self) -> list[str]: ...
    def needed(self, names: list[str]) -> list[bool]: ...
    def preview(self, row: Any) -> tuple[str, bytes]: ...
    def estimating(self) -> Estimating: ...
    def estimate_table(self, estimating: Estimating, data: Any) -> None: ...
    def simulator_stats(self) -> dict[str, Any] | None: ...
