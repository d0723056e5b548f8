"""Changes to calls under way: pause, resume, other limits, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union

from ._settings import as_json

if TYPE_CHECKING:
    from decimal import Decimal

    from typing_extensions import Unpack

NoLimit = Literal["none", "auto"]
"""No limit."""


class Limits(TypedDict, total=False):
    """The limits that can be changed during a call. `None` or `"none"` removes one."""

    concurrency: int | NoLimit | None
    """The maximum number of requests in flight; without it, the number adapts to what the server accepts."""
    rpm: float | NoLimit | None
    """Requests per minute, for all extractors of the same client."""
    tpm: float | NoLimit | None
    """Tokens per minute, input and output together, for all extractors of the same client."""
    input_tpm: float | NoLimit | None
    """Input tokens per minute, for all extractors of the same client."""
    output_tpm: float | NoLimit | None
    """Output tokens per minute, for all extractors of the same client."""
    budget: Union[float, Decimal, str, None]
    """US dollars that all requests together may cost, those so far included."""
    deadline: float | str | None
    """Seconds for which the call may send requests, from its start, or a text such as `"2h"`."""


class Steered:
    """What can be changed while it is under way. Changes take effect at once, and from any thread."""

    def _adjust(self, changes: str) -> None:
        raise NotImplementedError

    def pause(self) -> None:
        """Sends nothing new from now on. What is in flight is awaited."""
        self._adjust('{"pause": true}')

    def resume(self) -> None:
        """Ends a pause."""
        self._adjust('{"resume": true}')

    def stop(self) -> None:
        """Ends the call: nothing new is sent, what is in flight is awaited and delivered."""
        self._adjust('{"stop": true}')

    def retry_failed(self) -> None:
        """Asks again about the rows that have failed so far, beside the others. Their new outcomes replace those in the journal. A stream does
        not deliver them a second time; into the output of a run from file to file, `rerun` or the same `run` again writes them.

        Raises:
            ConfigError: without a journal.
        """
        self._adjust('{"retry_failed": true}')

    def adjust(self, **limits: Unpack[Limits]) -> None:
        """Changes limits: all of those given, or none if one of them is not valid.

        Raises:
            ConfigError: for an unknown name or a value that is not valid.
        """
        given: dict[str, Any] = {name: None if value is None else str(value) for name, value in limits.items()}
        self._adjust(as_json(given, "limit"))
