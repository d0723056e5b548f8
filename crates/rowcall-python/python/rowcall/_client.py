"""An account with a provider: model, key and limits, which hold for all extractors that are made from it together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from . import _settings, _words
from ._rowcall import Account

if TYPE_CHECKING:
    from decimal import Decimal
    from types import TracebackType

    from pydantic import SecretStr
    from typing_extensions import Self, TypeForm, Unpack

    from ._extractor import Extractor
    from ._settings import KeptTaskSettings, Protocol

T = TypeVar("T")


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

    @overload
    def extractor(
        self, response: TypeForm[T], *, prompt: str = ..., **settings: Unpack[KeptTaskSettings]
    ) -> Extractor[T]: ...

    @overload
    def extractor(
        self, response: dict[str, Any], *, prompt: str = ..., **settings: Unpack[KeptTaskSettings]
    ) -> Extractor[Any]: ...

    def extractor(self, response: Any, *, prompt: str = "{{ text }}", **settings: Any) -> Any:
        """A way from rows to values of a type, by this account.

        Args:
            response: What values are, as for `Extractor`.
            prompt: A template over the row's fields.
            **settings: Those of `Extractor` that are about the task: `system`, `examples`, `images`, `check`, `context`, `mode`,
                `temperature`, `max_output_tokens`, `params`, `max_reasks`, `retries`, `dedup`, `same_prompt`, `keep_going`, `deadline`,
                `max_failures`, `on_event`, `journal`, `accept_changes` and `retry_failed`.
        """
        from ._extractor import Extractor

        for name in settings:
            if name in _settings.AccountSettings.__annotations__ or name == "model":
                raise TypeError(f"`{name}` is of the account: give it to `Client(…)`, for all of its extractors")
        _settings.check_names(settings, _settings.KeptTaskSettings, "setting of an extractor")
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
