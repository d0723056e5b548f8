"""An account with a provider: model, key and limits, shared by all extractors made from it."""

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
    """The message for a setting that belongs to the account, if it does."""
    if name in _settings.AccountSettings.__annotations__ or name == "model":
        return f"`{name}` is a setting of the account: pass it to `Client(…)`, where it applies to all extractors"
    return None


class Client:
    """An account with a provider. All of its extractors share its limits.

        client = rowcall.Client("openai/gpt-6-luna", rpm=500, tpm=200_000)
        people = client.extractor(Person, prompt="Extract person info: {{ text }}")
        topics = client.extractor(Topic, prompt="What is it about? {{ text }}")

    Args:
        model: `PROVIDER/MODEL`, such as `openai/gpt-6-luna`. The key comes from the provider's environment variable
            (`OPENAI_API_KEY`). `sim` selects a simulated provider on this machine.
        base_url: The server's address, instead of the provider's own: `http://localhost:8000/v1`.
        api_key: The API key, instead of the one in the provider's environment variable.
        headers: Additional headers for every request. Their values are treated as secrets.
        timeout: Seconds that an attempt may take. Default: 600.
        ca_cert: A PEM file of certificate authorities to trust in addition to the system's.
        concurrency: The maximum number of requests in flight. By default rowcall finds the best number itself.
        rpm: The maximum number of requests per minute.
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
    """

    @_settings.guarded("a setting of a client")
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
        settings = _settings.as_json(self._settings, "setting")
        return Account(settings, self._api_key.get_secret_value(), self._headers.get_secret_value())

    @property
    def _account(self) -> Account:
        if self._process != os.getpid():
            # A forked child can neither use nor close its parent's connections.
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

    @_settings.guarded("a setting of an extractor", _of_the_account)
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
        """Makes an extractor that uses this account.

        Args:
            response: The type of the values, as for `Extractor`.
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
            accept_changes: Continue with a journal that was made with another model, prompt, schema or parameters.
            cache: A file of answers, shared by all runs and processes that use it. Answers in it are reused, new ones are added.
            retry_failed: Ask again about rows that the journal records as failed. A recorded answer that is valid by now is accepted as it is.

        Raises:
            ConfigError: if a setting is invalid. Nothing has been sent.
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
        """Closes the connections once its extractors are closed. This also happens when all of them are no longer referenced."""
        if self._process == os.getpid():
            self._made.close()

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            advice = _words.method(name)
            raise AttributeError(f"a client has no `{name}`" + ("" if advice is None else f": {advice}"), name=name, obj=self)

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
