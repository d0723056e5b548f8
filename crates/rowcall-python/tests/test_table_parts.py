"""Tables one after the other: columns under other names, nested ones made flat, what each row took, the output of an earlier step, and
some rows asked again."""

import logging
from typing import Any, Optional

import duckdb
import numpy
import pandas
import polars
import pyarrow
import pyarrow.csv
import pytest
import rowcall
from conftest import NAMES, PROMPT, TEXTS, Person, Story
from pydantic import BaseModel

REFUSED = '[[faults]]\nrate = 1.0\ncontains = "Lisa Wilson"\nkind = "refusal"\n'
COLUMNS = ["name", "age", "occupation"]


def tables(columns: dict[str, Any]) -> list[Any]:
    """The same table in each kind."""
    return [pandas.DataFrame(columns, index=range(10, 10 + len(columns["text"]))), polars.DataFrame(columns), pyarrow.table(columns)]


def arrow(table: Any) -> Any:
    if isinstance(table, pandas.DataFrame):
        return pyarrow.Table.from_pandas(table, preserve_index=False)
    return table.to_arrow() if isinstance(table, polars.DataFrame) else table


def people(model: str = "sim", **settings: Any) -> Any:
    return rowcall.Extractor(Person, model=model, prompt=PROMPT, **settings)


def test_names_begin_with_a_prefix():
    table = pyarrow.table({"text": TEXTS, "name": TEXTS})
    made = people().map_table(table, prefix="person_")
    assert made.column_names == ["text", "name", "person_name", "person_age", "person_occupation", "_error"]
    assert made.column("person_name").to_pylist() == NAMES
    assert "p_value" in rowcall.Extractor(int, model="sim", prompt=PROMPT).map_table(table, prefix="p_").column_names


class Place(BaseModel):
    city: str
    zips: list[int]


class Home(BaseModel):
    name: str
    place: Optional[Place]
    scores: dict[str, float]


def test_nested_columns_are_made_flat_for_csv(answers, tmp_path):
    rows = [
        '{"name": "Ann", "place": {"city": "Bern", "zips": [1, 2]}, "scores": {"a": 0.5}}',
        '{"name": "Bob", "place": null, "scores": {}}',
        '{"name": 3}',
    ]
    made = answers(Home).map_table(pyarrow.table({"text": rows}), flatten=True, meta=True)
    names = ["text", "name", "place.city", "place.zips", "scores", "_error"]
    assert made.column_names[:6] == names and all(name.startswith("_meta_") for name in made.column_names[6:])
    pyarrow.csv.write_csv(made, tmp_path / "out.csv")
    assert made.select(names[1:5]).to_pylist()[:2] == [
        {"name": "Ann", "place.city": "Bern", "place.zips": "[1,2]", "scores": '{"a":0.5}'},
        {"name": "Bob", "place.city": None, "place.zips": None, "scores": "{}"},
    ]
    errors = made.column("_error").to_pylist()
    assert errors[:2] == [None, None] and errors[2].startswith("invalid: no valid answer")
    assert made.column("_meta_attempts").to_pylist() == [1, 1, 1]
    whole = answers(Home).map_table(pyarrow.table({"text": rows}), flatten=True, into="home", prefix="a_")
    assert "a_home.place.city" in whole.column_names
    # A failed row is also recognised by the text form of its error.
    again = answers(Home).map_table(made.select(["text", "_error"]), into="home")
    assert again.column("_error").to_pylist()[2]["message"].startswith("the row failed in an earlier step: invalid: no valid")


def test_two_columns_of_one_name_are_refused():
    schema = {"type": "object", "properties": {"a.b": {"type": "string"}, "a": {"type": "object", "properties": {"b": {"type": "string"}}}}}
    with pytest.raises(rowcall.ConfigError, match="two fields of the value would have the column `a.b`"):
        rowcall.Extractor(schema, model="sim", prompt=PROMPT).map_table(pyarrow.table({"text": TEXTS}), flatten=True)


def test_what_each_row_took(story: Story):
    asked = people(story(REFUSED), price="in=1,out=1")
    for table in tables({"text": TEXTS}):
        metas = arrow(asked.map_table(table, meta=True)).column("_meta").to_pylist()
        assert [meta["attempts"] for meta in metas] == [1] * 7 and all(meta["latency_s"] >= 0 for meta in metas)
        for meta in metas:
            assert meta["cost_usd"] == pytest.approx((meta["input_tokens"] + meta["output_tokens"]) * 1e-6)
    total = sum(meta["cost_usd"] for meta in metas) * 3
    assert asked.stats.cost == pytest.approx(total)


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_some_rows_are_asked_again_and_merged(story: Story, kind: int):
    first = people(story(REFUSED)).map_table(tables({"text": TEXTS})[kind], meta=True)
    errors = arrow(first).column("_error").to_pylist()
    assert [error is not None for error in errors] == [False] * 3 + [True] + [False] * 3
    only: Any = first["_error"].notna() if kind == 0 else first["_error"].is_not_null() if kind == 1 else first.column("_error").is_valid()
    again = people()
    made = again.map_table(first, only=only, meta=True)
    assert type(made) is type(first) and again.stats.requests == 1 and list(made.columns if kind < 2 else made.column_names) == list(
        first.columns if kind < 2 else first.column_names
    )
    assert arrow(made).column("name").to_pylist() == NAMES and arrow(made).column("_error").to_pylist() == [None] * 7
    assert arrow(made).column("age").to_pylist()[3] == 28
    if kind == 0:
        assert made.index.equals(first.index)


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_rows_that_are_not_asked_about_have_nothing_in_new_columns(kind: int):
    asked = people()
    only = [False, True, None, numpy.bool_(True), False, False, False]
    made = arrow(asked.map_table(tables({"text": TEXTS})[kind], only=only))
    expected = [None, NAMES[1], None, NAMES[3], None, None, None]
    assert made.column("name").to_pylist() == expected and made.column("_error").to_pylist() == [None] * 7
    assert asked.stats.requests == 2 and asked.stats.taken == 2
    none = arrow(asked.map_table(tables({"text": TEXTS})[kind], only=[False] * 7))
    assert none.column("name").to_pylist() == [None] * 7 and asked.stats.requests == 2


def test_failures_of_a_part_have_the_indexes_of_the_table(story: Story):
    asked = people(story(REFUSED))
    asked.map_table(pyarrow.table({"text": TEXTS * 300}), only=[row == 1_053 or row == 0 for row in range(2_100)])
    assert [failure.index for failure in asked.failures()] == [1_053]


def test_a_relation_is_asked_about_in_part():
    relation = duckdb.connect().sql("select unnest($texts) as text", params={"texts": TEXTS})
    made = people().map_table(relation, only=[True] + [False] * 6)
    assert isinstance(made, pyarrow.Table) and made.column("name").to_pylist() == NAMES[:1] + [None] * 6


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ([True], "`only` has 1 items, but the table has 7 rows"),
        ([1] * 7, "`only` has a `int` at row 0, expected True or False"),
        (pandas.Series([True] * 7), "`only` and the table have different indexes"),
        (7, "`only` is of type `int`"),
        ("_error", "`only` is of type `str`"),
    ],
)
def test_an_only_that_does_not_match_is_rejected(only: Any, expected: str):
    with pytest.raises(rowcall.ConfigError, match=expected):
        people().map_table(tables({"text": TEXTS})[0], only=only)


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("failed_rows", ["error", "skip", "ask"])
def test_the_output_of_an_earlier_step_is_the_input_of_the_next(story: Story, kind: int, failed_rows: Any, caplog):
    caplog.set_level(logging.WARNING, "rowcall")
    first = people(story(REFUSED)).map_table(tables({"text": TEXTS})[kind], meta=True, prefix="first_")
    second = people()
    made = second.map_table(first, failed_rows=failed_rows)
    table = arrow(made)
    assert table.column_names == ["text", *(f"first_{name}" for name in COLUMNS), *COLUMNS, "_error"]
    errors = table.column("_error").to_pylist()
    notes = "\n".join(record.getMessage() for record in caplog.records)
    assert "the output of an earlier step: its `_error`, `_meta` are dropped" in notes
    if failed_rows == "error":
        assert errors[3]["kind"] == "input" and errors[3]["message"].startswith("the row failed in an earlier step: refusal: ")
        assert errors[:3] + errors[4:] == [None] * 6 and second.stats.requests == 6
        assert 'not asked about, the error is kept; `failed_rows="skip"` skips' in notes
    elif failed_rows == "skip":
        assert table.column("name").to_pylist() == NAMES[:3] + NAMES[4:] and second.stats.requests == 6
        assert "failed in an earlier step: skipped" in notes
        if kind == 0:
            assert list(made.index) == [10, 11, 12, 14, 15, 16]
    else:
        assert table.column("name").to_pylist() == NAMES and errors == [None] * 7 and second.stats.requests == 7


def test_an_earlier_step_without_failures_needs_no_decision(caplog):
    first = people().map_table(pandas.DataFrame({"text": TEXTS}), prefix="first_")
    made = people().map_table(first)
    assert list(made["name"]) == NAMES and made["_error"].isna().all()
    assert len(caplog.records) == 1
    relation = duckdb.sql("select text, _error from first")
    assert people().map_table(relation).column("name").to_pylist() == NAMES


def test_an_unknown_value_of_failed_rows_is_rejected():
    with pytest.raises(rowcall.ConfigError, match="`failed_rows` is `drop`"):
        people().map_table(pyarrow.table({"text": TEXTS}), failed_rows="drop")
