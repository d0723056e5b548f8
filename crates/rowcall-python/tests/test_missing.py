"""What is missing is missing: a prompt never says `None` of it."""

import math

import pandas
import polars
import pyarrow
import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person

MISSING = [None, math.nan, pandas.NaT, pandas.NA]


@pytest.mark.parametrize("missing", MISSING, ids=repr)
def test_a_field_that_is_missing_fails_its_row(missing):
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    good, bad, whole = people.gather_sync([TEXTS[0], {"text": missing}, missing], return_exceptions=True)
    assert isinstance(good, Person)
    for failed in (bad, whole):
        assert isinstance(failed, rowcall.TemplateError) and failed.attempts == 0
        assert "`text`, which is null" in str(failed) and "default" in (failed.hint or "")
    assert people.stats.requests == 1


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_nulls_of_a_table_fail_their_rows(kind):
    texts = [TEXTS[0], None, TEXTS[1]]
    table = {"pandas": pandas.DataFrame, "polars": polars.DataFrame, "pyarrow": pyarrow.table}[kind]({"text": texts})
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    made = people.map_table(table)
    errors = made["_error"].tolist() if kind == "pandas" else made["_error"].to_list() if kind == "polars" else made["_error"].to_pylist()
    assert [error if not error else error["kind"] for error in errors] == [None, "template", None]
    assert people.stats.requests == 2


def test_a_template_may_provide_for_it():
    people = rowcall.Extractor(
        Person, model="sim", prompt="{{ text | default('Ann Lee is a 30-year-old nurse') }}{% if row.more is none %}.{% endif %}"
    )
    assert people.extract_sync({"text": None, "more": None}).name == "Ann Lee"
