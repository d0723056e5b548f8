"""Common mistakes, mostly habits from other libraries, and the message for each. The messages are a snapshot:
`ROWCALL_SNAPSHOTS=write` updates it."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person
from instructor import Mode
from openai import AsyncOpenAI

SNAPSHOT = Path(__file__).with_name("mistakes.txt")


def made(response: Any = Person, **settings: Any) -> Any:
    return rowcall.Extractor(response, **{"model": "sim", "prompt": PROMPT, **settings})


async def as_completed_awaited() -> None:
    await made().as_completed(TEXTS)


def coroutines() -> None:
    people = made()
    people.gather_sync([people.extract(text) for text in TEXTS])


MISTAKES: dict[str, Callable[[], Any]] = {
    "response_model=": lambda: rowcall.Extractor(response_model=Person, model="sim", prompt=PROMPT),  # type: ignore[call-overload]
    "messages=": lambda: made(messages=[{"role": "user", "content": "Extract {{ text }}"}]),
    "client=": lambda: made(client=AsyncOpenAI(api_key="k")),
    "model=AsyncOpenAI()": lambda: made(model=AsyncOpenAI(api_key="k")),
    "mode=Mode.TOOLS": lambda: made(mode=Mode.TOOLS),
    "mode=Mode.PARALLEL_TOOLS": lambda: made(mode=Mode.PARALLEL_TOOLS),
    "validation_context=": lambda: made(validation_context={"a": 1}),
    "seed=": lambda: made(seed=1),
    "stream=": lambda: made(stream=True),
    "max_concurrency=": lambda: made(max_concurrency=20),
    "max_retries=": lambda: made(max_retries=3),
    "temperatur=": lambda: made(temperatur=0.5),
    "something=": lambda: made(something=1),
    'temperature="0"': lambda: made(temperature="0"),
    "rpm=True": lambda: made(rpm=True),
    "no type": lambda: rowcall.Extractor(model="sim", prompt=PROMPT),  # type: ignore[call-overload]
    "no model": lambda: rowcall.Extractor(Person, prompt=PROMPT),  # type: ignore[call-overload]
    "a function": lambda: made(lambda x: x),
    "an instance": lambda: made(Person(name="Ann", age=3, occupation="none")),
    "a coroutine for a check": lambda: made(check=as_completed_awaited),
    "an f-string for a template": lambda: made(prompt=f"Extract {TEXTS[0]}"),
    "braces of Python's format": lambda: made(prompt="Extract {text}"),
    "coroutines for rows": coroutines,
    "df.iterrows()": lambda: made().gather_sync(pandas.DataFrame({"text": TEXTS}).iterrows()),
    "gather of one text": lambda: made().gather_sync(TEXTS[0]),
    "extract of many": lambda: made().extract_sync(TEXTS),
    "await as_completed": lambda: asyncio.run(as_completed_awaited()),
    "chat.completions.create": lambda: made().chat.completions.create(),
    "create_with_completion": lambda: made().create_with_completion(),
    "from_openai": lambda: rowcall.from_openai(AsyncOpenAI(api_key="k")),  # type: ignore[attr-defined]
    "rpm of a client's extractor": lambda: rowcall.Client("sim").extractor(Person, rpm=60),  # type: ignore[call-overload]
    "closed": lambda: made().__exit__(None, None, None) or closed().extract_sync(TEXTS[0]),
}


def closed() -> Any:
    people = made()
    people.close()
    return people


def said(mistake: Callable[[], Any]) -> str:
    with pytest.raises((rowcall.Error, TypeError, AttributeError)) as caught:
        mistake()
    error = caught.value
    hint = getattr(error, "hint", None)
    return f"{type(error).__name__}: {error}" + (f"\n  hint: {hint}" if hint else "")


def test_messages_for_mistakes():
    text = "".join(f"{name}\n  {said(mistake)}\n\n" for name, mistake in MISTAKES.items())
    if os.environ.get("ROWCALL_SNAPSHOTS") == "write":
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text()


def test_all_advice_refers_to_existing_settings():
    import re

    from rowcall import _settings, _words

    known = set(_settings.KeptSettings.__annotations__) | {"prompt", "model", "progress"}
    for text in _words._SETTINGS.values():
        assert set(re.findall(r"`(\w+)=", text)) <= known, text
    for text in [*_words._METHODS.values(), *_words._MODULE.values()]:
        for name in re.findall(r"`(?:await extractor\.)?(\w+)\(", text):
            assert hasattr(rowcall.Extractor, name) or hasattr(rowcall, name), text


def test_habits_that_do_no_harm_work():
    async def ask() -> Any:
        async with made() as people:
            values = []
            for done in people.as_completed(TEXTS):
                values.append(await done)
            again = await people.gather(*TEXTS)
            return sorted(values, key=lambda value: value.name), again

    values, again = asyncio.run(ask())
    assert len(values) == 7 and sorted(again, key=lambda value: value.name) == values
    assert made().gather_sync(*TEXTS[:2]) == made().gather_sync(TEXTS[:2])
    with pytest.raises(ValueError, match="closed"):
        closed().extract_sync(TEXTS[0])
    assert issubclass(rowcall.ClosedError, rowcall.Error)


def test_an_outcome_that_failed_raises_where_it_is_awaited():
    async def ask() -> None:
        (done,) = made(prompt="{{ nome }}").as_completed(TEXTS[:1])
        await done

    with pytest.raises(rowcall.TemplateError):
        asyncio.run(ask())
