"""Validators see the row: as `check=`, in `info.context`, and by a context that is a function of the row."""

import asyncio
from typing import Annotated, Any

import pandas
import pyarrow
import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person
from pydantic import AfterValidator, BaseModel, ValidationInfo, field_validator


def quoted(quote: str, info: ValidationInfo) -> str:
    """Instructor's check of citations: the quote has to be in the source."""
    assert info.context is not None
    if quote not in info.context["text"]:
        raise ValueError("the quote is not in the text")
    return quote


class Fact(BaseModel):
    quote: Annotated[str, AfterValidator(quoted)]


def test_a_citation_is_looked_for_in_its_own_row(answers):
    facts = answers(Fact, context=lambda row: {"text": row["source"]}, prompt="@@{{ answer }}")
    rows = [{"source": "all is well", "answer": '{"quote": "well"}'}, {"source": "nothing", "answer": '{"quote": "well"} '}]
    good, bad = facts.gather_sync(rows, return_exceptions=True)
    assert good.quote == "well"
    assert isinstance(bad, rowcall.InvalidError) and "not in the text" in str(bad)


class Seen(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def check(cls, name: str, info: ValidationInfo) -> str:
        assert info.context is not None
        if name != info.context["row"]["name"]:
            raise ValueError(f"expected {info.context['row']['name']}")
        return name


ROWS = [{"name": "Ann", "answer": '{"name": "Ann"}'}, {"name": "Bob", "answer": '{"name": "Cid"}'}]


def ways(people: Any) -> dict[str, Any]:
    """What each way of asking finds of the rows: whether there is a value."""
    table = people.map_table(pyarrow.Table.from_pylist(ROWS), into="value")
    frame = people.map_table(pandas.DataFrame(ROWS), into="value")
    return {
        "gather": [isinstance(value, Seen) for value in people.gather_sync(ROWS, return_exceptions=True)],
        "asyncio": [isinstance(value, Seen) for value in asyncio.run(people.gather(ROWS, return_exceptions=True))],
        "as_completed": [done.ok for done in sorted(people.as_completed(ROWS), key=lambda done: done.index)],
        "extract": [people.extract_sync(ROWS[0]).name == "Ann", False],
        "pyarrow": [error is None for error in table.column("_error").to_pylist()],
        "pandas": list(frame["_error"].isna()),
    }


@pytest.mark.parametrize("context", [None, {"more": 1}])
def test_the_row_is_in_the_context_of_every_way(answers, context):
    # Tables pass only the columns that the prompt uses.
    people = answers(Seen, context=context, prompt="{{ name }}@@{{ answer }}")
    assert all(found == [True, False] for found in ways(people).values()), ways(people)
    with pytest.raises(rowcall.InvalidError, match="expected Bob"):
        people.extract_sync(ROWS[1])


class Plain(BaseModel):
    name: str


@pytest.mark.parametrize("response", [Plain, {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}])
@pytest.mark.parametrize("found", ["text", "pair", "false", "raised"])
def test_a_check_sees_the_row_as_it_was_given(answers, response: Any, found: str):
    seen = []

    def check(row: Any, value: Any) -> Any:
        seen.append(row)
        name = value["name"] if isinstance(value, dict) else value.name
        if name == row["name"]:
            return None
        if found == "raised":
            raise ValueError("not the row's name")
        return {"text": "not the row's name", "pair": [("/name", "not the row's name")], "false": False}[found]

    people = answers(response, check=check, prompt="{{ name }}@@{{ answer }}")
    good, bad = people.gather_sync(ROWS, return_exceptions=True)
    assert isinstance(bad, rowcall.InvalidError) and not isinstance(good, BaseException)
    (violation,) = bad.violations
    assert violation.message == ("the value was rejected" if found == "false" else "not the row's name")
    assert violation.path == ("/name" if found == "pair" else "")
    assert any(row is ROWS[0] for row in seen)


def test_a_schema_counts_beside_a_check(answers):
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    people = answers(schema, check=lambda row, value: None)
    assert people.extract_sync('{"name": "Ann"}') == {"name": "Ann"}
    with pytest.raises(rowcall.InvalidError):
        people.extract_sync('{"nome": "Ann"}')


def test_equal_rows_are_checked_one_by_one(answers):
    # Their requests are identical, since the prompt does not use what the check looks at.
    rows = [{"answer": '{"name": "Ann"}', "right": "Ann"}, {"answer": '{"name": "Ann"}', "right": "Bob"}]
    people = answers(Plain, check=lambda row, value: value.name == row["right"], prompt="@@{{ answer }}")
    good, bad = people.gather_sync(rows, return_exceptions=True)
    assert good.name == "Ann" and isinstance(bad, rowcall.InvalidError)


def test_other_exceptions_in_a_check_end_the_call(answers):
    def check(row: Any, value: Any) -> None:
        raise KeyError("oh")

    with pytest.raises(KeyError):
        answers(Plain, check=check).extract_sync('{"name": "Ann"}')


def test_outcomes_have_their_rows(answers):
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    rows = [{"text": text} for text in TEXTS]
    for outcomes in (people.as_completed(rows), people.ordered(iter(rows))):
        for done in outcomes:
            assert done.row is rows[done.index]
