"""What type checkers are to see: each line is wrong for them if it is not so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal, Optional

import rowcall
from pydantic import BaseModel, SecretStr
from typing_extensions import assert_type


class Person(BaseModel):
    name: str
    age: int


@dataclass
class Data:
    name: str


people = rowcall.Extractor(Person, model="sim", prompt="{{ text }}", concurrency=2, rpm=60, journal="x.journal")
plain = rowcall.Extractor({"type": "object"}, model="sim")
many = rowcall.Extractor(list[Person], model="sim")
data = rowcall.Extractor(Data, model="sim")


async def rows() -> AsyncIterator[str]:
    yield "one"


async def ways() -> None:
    assert_type(people, rowcall.Extractor[Person])
    assert_type(await people.extract("x"), Person)
    assert_type(await people.gather(["x", {"text": "y"}]), list[Person])
    assert_type(await people.gather(rows(), return_exceptions=True), "list[Person | BaseException]")
    assert_type(await people.rate_limited_gather(["x"], 2), list[Person])
    assert_type(await people.sequential(["x"]), list[Person])
    async for done in people.as_completed(rows(), concurrency=2):
        assert_type(done.value, Person)
        assert_type(done.index, int)
        assert_type(done.usage.input_tokens, int)
    assert_type(await plain.extract("x"), Any)
    assert_type(await many.extract("x"), list[Person])
    assert_type(await data.extract("x"), Data)


def of_models(given: rowcall.Extractor[BaseModel]) -> None:
    """Takes an extractor of any model."""


async def variants() -> None:
    of_models(people)
    settings: rowcall.KeptSettings = {"rpm": 60, "journal": None, "api_key": SecretStr("key")}
    kept: rowcall.Extractor[Person] = rowcall.Extractor(Person, model="sim", **settings)
    with kept, rowcall.Extractor(Person, model="sim") as closed:
        assert_type(closed, rowcall.Extractor[Person])
    options: rowcall.FileOptions = {"journal": None, "order": "completed"}
    assert_type(people.run("in.csv", b"out.csv", **options).done, int)
    values = people.map(["x"])
    values.close()


def without_asyncio() -> None:
    assert_type(people.extract_sync("x"), Person)
    for person in people.map(text for text in ["x"]):
        assert_type(person, Person)
    for done in people.ordered(["x"]):
        assert_type(done, rowcall.Outcome[Person])
    assert_type(people.stats.failed, dict[str, int])
    try:
        people.gather_sync(["x"])
    except rowcall.InvalidError as error:
        assert_type(error.violations, list[rowcall.Violation])


def of_many_kinds() -> None:
    assert_type(rowcall.Extractor(Optional[Person], model="sim").extract_sync("x"), Optional[Person])
    assert_type(rowcall.Extractor(Literal["a", "b"], model="sim").extract_sync("x"), Literal["a", "b"])
    assert_type(rowcall.Extractor(dict[str, int], model="sim").extract_sync("x"), dict[str, int])
    client = rowcall.Client("sim", rpm=60)
    assert_type(client.extractor(Person, prompt="{{ text }}"), rowcall.Extractor[Person])
    assert_type(client.extractor(list[Person], temperature=0.0).extract_sync("x"), list[Person])
    settings: dict[str, Any] = {"temperature": 0.0}
    assert_type(rowcall.Extractor(Person, model="sim", **settings), rowcall.Extractor[Person])
    for done in people.as_completed(["x"]):
        if done.error is not None:
            assert_type(done.error.kind, str)
            assert_type(done.error.usage.total_tokens, int)
