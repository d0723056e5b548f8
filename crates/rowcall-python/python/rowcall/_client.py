"""An account with a provider: model, key and limits, which hold for all extractors that are made from it together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from . import _events, _settings, _words
from ._rowcall import Account

if TYPE_CHECKING:
    from decimal import Decimal
    from types import TracebackType

    from pydantic import SecretStr
    from typing_extensions import Self, TypeForm, Unpack

    from ._extractor import Extractor
    from ._model import Check
    from ._settings import KeptTaskSettings, Mode, Protocol

T = TypeVar("T")


def _of_the_account(name: str) -> str | None:
    """That a setting is the account's, if it is."""
    if name in _settings.AccountSettings.__annotations__ or name == "model":
        return f"`{name}` is of the account: give it to `Client(…)`, for all of its extractors"
    return None


class Client:
    """An account with a provider. The limits hold for all of its extractors together.

        client = rowcall.Client("openai/gpt-6-luna", rpm=500, tpm=200_000)
        people = client.extractor(Person, prompt="Extract person info: {{ text }}")
        topics = client.extractor(Topic, prompt="What is it about? {{ text }}")

    Args:
        model: `PROVIDER/MODEL`, such as `openai/gpt-6-luna`, with the key from the provider's variable (`OPENAI_API_KEY`);
            `sim` for a simulated provider on this machine.
        base_url: Another address than the provider's own, such as `http://localhost:8000/v1`.
        api_key: The key, in place of the one in the provider's environment variable.
        headers: Further headers of every request. Their values are treated as secrets.
        timeout: Seconds that an attempt may take; 600 if left out.
        ca_cert: A PEM file with certificate authorities to trust beside the system's.
        concurrency: The most requests in flight; found out by rowcall if left out.
        rpm: The most requests per minute.
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
    """

    @_settings.guarded("setting of a client")
    def __init__(
        self,
        model: str,
        *,
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
        self._api_key, self._headers = _settings.secrets(api_key, headers)
        given = {
            "base_url": base_url,
            "timeout": timeout,
            "ca_cert": ca_cert,
            "concurrency": concurrency,
            "rpm": rpm,
            "tpm": tpm,
            "price": price,
            "prices": prices,
            "budget": budget,
            "protocol": protocol,
            "dialect": dialect,
        }
        self._settings = _settings.account(model, given)
        self._process = os.getpid()
        self._made = self._make()

    def _make(self) -> Account:
        told = _settings.as_json(self._settings, "setting")
        return Account(told, self._api_key.get_secret_value(), self._headers.get_secret_value())

    @property
    def _account(self) -> Account:
        if self._process != os.getpid():
            # In a forked child the parent's connections are of no use, nor can they be tidied up.
            _left_alone.append(self._made)
            self._made, self._process = self._make(), os.getpid()
        return self._made

    if TYPE_CHECKING:

        @overload
        def extractor(
            self,
            response: TypeForm[T],
            *,
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
        ) -> Extractor[T]: ...

        @overload
        def extractor(
            self, response: dict[str, Any], *, prompt: str = ..., **settings: Unpack[KeptTaskSettings]
        ) -> Extractor[Any]: ...

    @_settings.guarded("setting of an extractor", _of_the_account)
    def extractor(
        self,
        response: Any,
        *,
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
    ) -> Any:
        """A way from rows to values of a type, by this account.

        Args:
            response: What values are, as for `Extractor`.
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
            accept_changes: Go on with a journal that was made with another model, prompt, schema or parameters.
            cache: A file with the answers of all runs and processes that share it: what is in it is not asked again, what is asked is put there.
            retry_failed: Ask again about rows that failed, of those that the journal knows; an invalid answer that is valid by now is taken.

        Raises:
            ConfigError: for whatever of it cannot be. Nothing is sent.
        """
        from ._extractor import Extractor

        settings = {
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
        return Extractor._of(self, response, prompt, settings)

    def close(self) -> None:
        """Closes the connections once its extractors are closed. They close by themselves when they are no longer referenced."""
        if self._process == os.getpid():
            self._made.close()

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            meant = _words.method(name)
            raise AttributeError(f"a client has no `{name}`" + ("" if meant is None else f": {meant}"), name=name, obj=self)

    def __reduce__(self) -> str:
        raise TypeError("a client cannot be pickled or copied: it has connections; make one in each process")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        settings = self.__dict__.get("_settings")
        return "<rowcall.Client>" if settings is None else f"<rowcall.Client of {settings['model']}>"


_left_alone: list[Account] = []
