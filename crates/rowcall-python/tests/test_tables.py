"""Tables in and out: the columns that were there are untouched, the values' fields come next to them."""

import asyncio
import collections
import datetime
import decimal
import enum
import json
from typing import Any, Optional, Union

import duckdb
import numpy
import pandas
import polars
import pyarrow
import pytest
import rowcall
from conftest import NAMES, PROMPT, TEXTS, Person, Story
from pydantic import BaseModel, computed_field

DAY = datetime.date(2026, 3, 4)

COLUMNS: dict[str, Any] = {
    "text": TEXTS,
    "day": [DAY] * 6 + [None],
    "at": [datetime.datetime(2026, 1, 2, 3, 4, 5)] * 7,
    "nested": [{"a": 1, "b": ["x", None]}] * 6 + [None],
    "many": [[1, 2], [], None, [3], [4], [5], [6]],
    "flag": [True, False, None, True, True, False, False],
}


class Kind(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Place(BaseModel):
    city: str
    zip: Optional[int]


class Rich(BaseModel):
    name: str
    born: datetime.date
    seen: datetime.datetime
    kind: Kind
    tags: list[str]
    places: list[Place]
    scores: dict[str, float]
    either: Union[int, str]

    @computed_field
    @property
    def initial(self) -> str:
        return self.name[:1]


@pytest.fixture
def people() -> "rowcall.Extractor[Person]":
    return rowcall.Extractor(Person, model="sim", prompt=PROMPT)


def test_pyarrow(people):
    table = pyarrow.table(COLUMNS)
    made = people.map_table(table)
    assert isinstance(made, pyarrow.Table)
    assert made.select(table.column_names).equals(table)
    assert made.column("name").to_pylist() == NAMES
    assert made.schema.field("age").type == pyarrow.int64()
    assert made.column("_error").to_pylist() == [None] * 7


def test_pyarrow_in_several_batches(people):
    table = pyarrow.concat_tables([pyarrow.table({"text": TEXTS[:3]}), pyarrow.table({"text": []}, pyarrow.schema([("text", pyarrow.string())])), pyarrow.table({"text": TEXTS[3:]})])
    assert people.map_table(table).column("name").to_pylist() == NAMES
    assert people.map_table(table.to_batches()[0]).column("name").to_pylist() == NAMES[:3]
    empty = people.map_table(table.slice(0, 0))
    assert empty.num_rows == 0 and empty.column_names == ["text", "name", "age", "occupation", "_error"]


def test_polars(people):
    frame = polars.DataFrame(COLUMNS)
    made = people.map_table(frame)
    assert isinstance(made, polars.DataFrame)
    assert made.select(frame.columns).equals(frame)
    assert made["name"].to_list() == NAMES and made["age"].dtype == polars.Int64


def test_pandas(people):
    frame = pandas.DataFrame(COLUMNS, index=[f"row {number}" for number in range(7)])
    frame["category"] = pandas.Categorical(["a", "b"] * 3 + ["a"])
    made = people.map_table(frame)
    assert isinstance(made, pandas.DataFrame)
    pandas.testing.assert_frame_equal(made[frame.columns.tolist()], frame)
    assert made["name"].tolist() == NAMES and made.index.equals(frame.index)


def test_duckdb(people):
    relation = duckdb.connect().sql("select unnest($texts) as text, date '2026-03-04' as day", params={"texts": TEXTS})
    made = people.map_table(relation)
    assert made.column("name").to_pylist() == NAMES
    assert made.column("day").to_pylist() == [DAY] * 7
    assert duckdb.sql("select sum(age) from made").fetchall() == [(210,)]


def test_dates_lists_and_structs_can_be_asked_about():
    rows = pyarrow.table({key: COLUMNS[key][:1] for key in ("day", "at", "nested", "many", "flag")})
    prompt = "{{ day }} {{ at }} {{ nested.b[0] }} {{ many[1] }} {{ flag }}"
    people = rowcall.Extractor(Person, model="sim", prompt=prompt)
    assert people.map_table(rows).num_rows == 1
    assert people.stats.done == 1
    seen = people.preview({"day": "2026-03-04", "at": "2026-01-02T03:04:05", "nested": {"b": ["x"]}, "many": [1, 2], "flag": True})
    assert seen[1]["messages"][-1]["content"] == "2026-03-04 2026-01-02T03:04:05 x 2 True"


def test_values_of_all_kinds():
    made = rowcall.Extractor(Rich, model="sim", prompt=PROMPT).map_table(pyarrow.table({"text": TEXTS}))
    assert made.column("_error").to_pylist() == [None] * 7
    types = {name: str(made.schema.field(name).type) for name in made.column_names}
    assert types["born"] == "date32[day]"
    assert types["seen"] == "timestamp[us, tz=UTC]"
    assert types["tags"].startswith("list<") and types["places"].startswith("list<")
    assert types["scores"].startswith("map<")
    # Pydantic makes the values, including its computed fields.
    assert made.column("initial").to_pylist() == [name[:1] for name in made.column("name").to_pylist()]


def test_the_whole_value_in_one_column(people):
    table = pyarrow.table({"text": TEXTS, "name": TEXTS})
    with pytest.raises(rowcall.ConfigError, match="already has a column `name`"):
        people.map_table(table)
    made = people.map_table(table, into="person")
    assert [person["name"] for person in made.column("person").to_pylist()] == NAMES
    many = rowcall.Extractor(list[Person], model="sim", prompt=PROMPT).map_table(table)
    assert isinstance(many.column("value").to_pylist()[0], list)
    assert people.stats.requests == 7


def test_a_row_without_a_value_has_an_error(story: Story):
    model = story('[[faults]]\nrate = 1.0\ncontains = "Mike Davis"\nkind = "refusal"\n')
    made = rowcall.Extractor(Person, model=model, prompt=PROMPT).map_table(pyarrow.table({"text": TEXTS}))
    error = made.column("_error").to_pylist()[2]
    assert error["kind"] == "refusal" and error["violations"] == []
    assert made.column("name").to_pylist()[2] is None and made.column("_error").null_count == 6
    # A missing number does not turn the others into floats.
    frame = rowcall.Extractor(Person, model=model, prompt=PROMPT).map_table(pandas.DataFrame({"text": TEXTS}))
    assert str(frame["age"].dtype) == "Int64" and frame["age"].isna().tolist() == [False] * 2 + [True] + [False] * 4


def test_without_the_event_loop_being_blocked(people):
    made = asyncio.run(people.map_table_async(pyarrow.table({"text": TEXTS})))
    assert made.column("name").to_pylist() == NAMES


def test_unused_pandas_columns_may_hold_anything(people):
    frame = pandas.DataFrame({"text": TEXTS, "mixed": [1, "a", None, b"x", 2.5, [], {}], 5: range(7)}, index=[0] * 7)
    frame.insert(3, "mixed", 1, allow_duplicates=True)
    made = people.map_table(frame)
    pandas.testing.assert_frame_equal(made.iloc[:, :4], frame)
    assert list(made["name"]) == NAMES
    with pytest.raises(rowcall.ConfigError, match="already has a column `name`"):
        people.map_table(frame.assign(name=1))
    assert "picture" in people.map_table(frame.assign(name=1), into="picture").columns


@pytest.mark.filterwarnings("error")
def test_what_cannot_be_read_is_reported(people):
    mixed = rowcall.Extractor(Person, model="sim", prompt="{{ mixed }}")
    with pytest.raises(rowcall.ConfigError) as caught:
        mixed.map_table(pandas.DataFrame({"mixed": ["a", None, 7]}, index=["x", "y", "z"]))
    assert str(caught.value) == "column `mixed` of the table has a value of type `int` at row 2 (index `z`): `7`, expected `str` like those before it"
    assert "df['mixed'].astype(str)" in caught.value.hint
    with pytest.raises(rowcall.ConfigError, match="`Series` cannot be read"):
        people.map_table(polars.Series("text", TEXTS))
    with pytest.raises(TypeError, match="`collect"):
        people.map_table(polars.DataFrame({"text": TEXTS}).lazy())


def test_a_missing_table_or_column_is_reported(people):
    with pytest.raises(TypeError, match="`list`"):
        people.map_table(TEXTS)
    with pytest.raises(rowcall.ConfigError, match="`text`") as caught:
        people.map_table(pyarrow.table({"note": TEXTS}))
    assert "`note`" in caught.value.hint


def test_a_value_that_does_not_fit_its_column_is_an_error_of_its_row(answers):
    class Wide(BaseModel):
        name: str
        places: list[dict[str, int]]
        seen: datetime.datetime

    good = {"name": "Ann", "places": [{"a": 1}], "seen": "2026-01-01T00:00:00Z"}
    rows = [good, {**good, "places": [{"a": 1}, {"a/b": 2**63}]}, good]
    made = answers(Wide).map_table(pyarrow.table({"text": [json.dumps(row) for row in rows]}))
    assert made.column("name").to_pylist() == ["Ann", None, "Ann"]
    error = made.column("_error").to_pylist()
    assert error[0] is error[2] is None
    assert error[1]["kind"] == "invalid" and error[1]["message"] == "the value does not fit its column"
    (violation,) = error[1]["violations"]
    assert violation["path"] == "/places/1/a~1b" and "`Int64`" in violation["message"]
    whole = answers(Wide).map_table(pyarrow.table({"text": [json.dumps(row) for row in rows]}), into="value")
    assert whole.column("_error").to_pylist()[1]["violations"] == [violation]


def test_no_number_is_rounded_on_its_way_to_python_or_into_a_column(answers):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "x": {"type": "number"}}, "required": ["n"]}
    rows = ['{"n": 9223372036854775807, "x": 0.1}', '{"n": 12345678901234567890123}', '{"n": 1, "x": 0.12345678901234567890123}']
    values = asyncio.run(answers(schema).gather([{"text": row} for row in rows]))
    assert values[1] == {"n": 12345678901234567890123} and values[0]["x"] == 0.1
    assert values[2]["x"] == decimal.Decimal("0.12345678901234567890123")
    made = answers(schema).map_table(pyarrow.table({"text": rows}))
    assert made.column("n").to_pylist() == [9223372036854775807, None, None]
    first, *others = made.column("_error").to_pylist()
    assert first is None
    for error, path, kind in zip(others, ["/n", "/x"], ["`Int64`", "`Float64`"]):
        (violation,) = error["violations"]
        assert violation["path"] == path and kind in violation["message"]


def test_whole_numbers_in_lists_and_structs_stay_whole_beside_missing_ones(answers):
    class Inner(BaseModel):
        id: Optional[int]

    class Outer(BaseModel):
        one: Optional[Inner]
        many: list[Optional[int]]

    big = 2**53 + 1
    rows = [{"one": {"id": big}, "many": [big, None]}, {"one": None, "many": []}]
    made = answers(Outer).map_table(pandas.DataFrame({"text": [json.dumps(row) for row in rows]}, index=["a", "b"]))
    assert made["one"].tolist() == [{"id": big}, None] and made["many"].tolist() == [[big, None], []]
    assert list(made.index) == ["a", "b"]


def test_a_table_of_many_rows_is_answered_in_parts(people):
    many = 20_000
    made = people.map_table(pyarrow.table({"text": [TEXTS[number % 7] for number in range(many)]}))
    assert made.num_rows == many and max(len(chunk) for chunk in made.column("name").chunks) <= 8192
    assert made.column("name").to_pylist()[:7] == NAMES


def test_existing_column_names_are_reported(people):
    made = people.map_table(pyarrow.table({"text": TEXTS}))
    with pytest.raises(rowcall.ConfigError, match="already has a column `name`") as caught:
        people.map_table(made)
    for way in ("prefix=", "into=", "only="):
        assert way in caught.value.hint
    with pytest.raises(rowcall.ConfigError, match="already has a column `_meta`"):
        people.map_table(pyarrow.table({"text": TEXTS, "_meta": TEXTS}), meta=True)
    for into, expected in (("text", "already has a column `text`"), ("_error", "`into` is `_error`")):
        with pytest.raises(rowcall.ConfigError, match=expected) as caught:
            people.map_table(pyarrow.table({"text": TEXTS}), into=into)
        assert "name" in caught.value.hint


def test_columns_are_found_by_whole_words():
    people = rowcall.Extractor(
        Person, model="sim", prompt="{{ text }} {% if note is defined %}{{ note }}{% endif %} {{ context }}", images=["photo"]
    )
    names = ["text", "tex", "ext", "note", "no", "con", "context", "photo", "hot", "", "e"]
    needed = people._core.needed(names)
    assert [name for name, is_needed in zip(names, needed) if is_needed] == ["text", "note", "context", "photo"]
    # It does not matter that a column cannot be read whose name is part of another's.
    plain = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    frame = pandas.DataFrame({"text": TEXTS, "ex": [1, "a", None, b"x", 2.5, [], {}]})
    assert list(plain.map_table(frame)["name"]) == NAMES


def test_subclasses_of_tables_are_tables_of_their_kind(people):
    class Frame(pandas.DataFrame):
        @property
        def _constructor(self):
            return Frame

    assert isinstance(people.map_table(Frame({"text": TEXTS, 5: range(7)})), pandas.DataFrame)

    class Polar(polars.DataFrame):
        pass

    assert isinstance(people.map_table(Polar({"text": TEXTS})), polars.DataFrame)


def test_a_concurrency_of_zero_is_rejected_everywhere(people):
    table = pyarrow.table({"text": TEXTS})
    for concurrency, expected in ((0, "concurrency `0`"), (-1, "concurrency `-1`"), (2.5, "whole number"), ("2", "whole number")):
        for ask in (
            lambda: people.map_table(table, concurrency=concurrency),
            lambda: asyncio.run(people.map_table_async(table, concurrency=concurrency)),
            lambda: people.gather_sync(TEXTS, concurrency=concurrency),
            lambda: list(people.map(TEXTS, concurrency=concurrency)),
            lambda: people.run("none.csv", "none.jsonl", concurrency=concurrency),
            lambda: rowcall.Extractor(Person, model="sim", concurrency=concurrency),
        ):
            with pytest.raises(rowcall.ConfigError, match=expected):
                ask()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (pandas.NaT, "missing"),
        (pandas.NA, "missing"),
        (pandas.Timestamp("2026-01-02"), "2026-01-02T00:00:00"),
        (pandas.Timedelta(3, "s"), "0 days 00:00:03"),
        (numpy.array([1.5, 2]), "[1.5, 2.0]"),
        (numpy.array([1.5]), "[1.5]"),
        (numpy.int64(3), "3"),
        (numpy.datetime64("2026-01-02T00:00:00", "ns"), "2026-01-02T00:00:00.000000000"),
        (numpy.datetime64("2026-01-02"), "2026-01-02"),
        (numpy.datetime64("NaT", "ns"), "missing"),
        (numpy.timedelta64(3, "s"), "3 seconds"),
        (range(2), "[0, 1]"),
        (collections.deque([1]), "[1]"),
        ({"a": 1}.keys(), "['a']"),
        (pandas.Series([1, 2]), "[1, 2]"),
        (pyarrow.scalar(3), "3"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_of_numpy_and_pandas_are_accepted_in_a_row(value, shown):
    people = rowcall.Extractor(Person, model="sim", prompt="{{ value | default('missing') }}")
    assert people.preview({"value": value})[1]["messages"][-1]["content"] == shown


def test_a_table_is_not_an_iterable_of_rows(people):
    for table in (pyarrow.table({"text": TEXTS}), pandas.DataFrame({"text": TEXTS}), polars.DataFrame({"text": TEXTS})):
        with pytest.raises(TypeError, match="are a table"):
            people.gather_sync(table)
