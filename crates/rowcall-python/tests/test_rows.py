"""Rows of every kind, from everything that is iterable, a bounded number ahead."""

import asyncio
import collections
import contextvars
import dataclasses
import datetime
import decimal
import threading

import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person, texts
from pydantic import BaseModel


def prompted(row, prompt="{{ name }} {{ age }}"):
    """The prompt that a row gives."""
    return rowcall.Extractor(Person, model="sim", prompt=prompt).preview(row)[1]["messages"][-1]["content"]


@dataclasses.dataclass
class Data:
    name: str
    age: int


class Model(BaseModel):
    name: str
    age: int


Named = collections.namedtuple("Named", "name age")


@pytest.mark.parametrize(
    "row", [{"name": "Ann", "age": 5}, Data("Ann", 5), Model(name="Ann", age=5), Named("Ann", 5)], ids=lambda row: type(row).__name__
)
def test_kinds_of_rows(row):
    assert prompted(row) == "Ann 5"


def test_types_of_values_in_a_row():
    row = {
        "a": datetime.date(2026, 1, 2),
        "b": decimal.Decimal("1.50"),
        "c": [1, (2.5, None)],
        "d": {"x": True},
        "e": 2**70,
        "f": float("nan"),
        "g": Data("Ann", 5),
        "h": "né",
    }
    shown = prompted(row, "{{ a }}|{{ b }}|{{ c }}|{{ d.x }}|{{ e }}|{{ f | default('-') }}|{{ g.name }}|{{ h }}")
    assert shown == "2026-01-02|1.50|[1, [2.5, None]]|True|1180591620717411303424|-|Ann|né"


@pytest.mark.parametrize("row", [5, b"bytes", object(), {1: "one"}, {"x": b""}, {"x": object()}])
def test_other_types_are_reported_by_name(row):
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    name = "int" if isinstance(row, dict) and 1 in row else type(row["x"] if isinstance(row, dict) else row).__name__
    for ask in (people.extract_sync, lambda row: people.gather_sync([row]), lambda row: people.gather_sync(iter([row]))):
        with pytest.raises(TypeError, match=f"`{name}`"):
            ask(row)


def test_a_row_that_contains_itself_is_reported():
    row: dict = {}
    row["row"] = row
    with pytest.raises(ValueError, match="nested"):
        prompted(row)


def test_generators_and_asynchronous_generators():
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)

    async def rows():
        for text in texts(2000):
            yield text

    async def everyone():
        return await people.gather(rows())

    expected = [20 + number % 60 for number in range(2000)]
    assert [person.age for person in asyncio.run(everyone())] == expected
    assert [person.age for person in people.gather_sync(text for text in texts(2000))] == expected
    assert [person.age for person in people.gather_sync(texts(2000))] == expected


def test_asynchronous_rows_need_an_event_loop():
    async def rows():
        yield TEXTS[0]

    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    with pytest.raises(TypeError, match="asynchronous"):
        people.gather_sync(rows())


def test_rows_are_pulled_only_a_bounded_number_ahead():
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    pulled = 0

    def rows():
        nonlocal pulled
        for text in texts(100_000):
            pulled += 1
            yield text

    values = people.map(rows())
    for _ in range(10):
        next(values)
    # Those in flight, and those waiting at either end.
    assert pulled < 10_000
    values.close()
    before = pulled
    assert pulled - before < 1_100


def test_a_generator_may_wait_for_the_outcome_of_its_own_rows():
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    known = threading.Event()

    def rows():
        for text in texts(3):
            known.clear()
            yield text
            assert known.wait(30)

    for _ in people.as_completed(rows()):
        known.set()


def test_an_exception_in_a_generator_is_raised_after_the_rows_before_it():
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)

    def rows():
        yield from TEXTS
        raise KeyError("torn")

    seen = []
    with pytest.raises(KeyError, match="torn"):
        for done in people.as_completed(rows()):
            seen.append(done.index)
    assert sorted(seen) == list(range(7))

    async def later():
        yield TEXTS[0]
        raise KeyError("torn")

    async def gather():
        await people.gather(later())

    with pytest.raises(KeyError, match="torn"):
        asyncio.run(gather())


def test_an_invalid_row_is_reported_with_its_index():
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)

    async def rows():
        yield TEXTS[0]
        yield 5

    async def gather():
        await people.gather(rows())

    for ask in (lambda: people.gather_sync([TEXTS[0], 5]), lambda: people.gather_sync(iter([TEXTS[0], 5])), lambda: asyncio.run(gather())):
        with pytest.raises(TypeError, match="^row 1: .*`int`"):
            ask()


def test_an_exception_raised_by_a_row_is_unchanged():
    class Torn(BaseModel):
        def model_dump(self, **_):
            raise KeyError("torn")

    with pytest.raises(KeyError) as caught:
        rowcall.Extractor(Person, model="sim", prompt=PROMPT).gather_sync([Torn()])
    assert caught.value.args == ("torn",)


def test_an_object_that_only_looks_like_a_table_is_read_as_rows():
    class Result:
        """As of a database's client, whose `columns` is a method."""

        def columns(self):
            return ["text"]

        def __len__(self):
            raise TypeError("unknown")

        def __iter__(self):
            return iter(TEXTS)

    assert len(rowcall.Extractor(Person, model="sim", prompt=PROMPT).gather_sync(Result())) == 7


def test_a_generator_sees_the_callers_context_variables():
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    def rows():
        seen.append(variable.get())
        yield TEXTS[0]

    variable.set("set")
    rowcall.Extractor(Person, model="sim", prompt=PROMPT).gather_sync(rows())
    assert seen == ["set"]
