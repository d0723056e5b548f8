"""Rows sent in batches: the same values, from files and from lists, and a journal that is required."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import rowcall
from pydantic import BaseModel


class Person(BaseModel):
    age: int


def people(**settings: Any) -> rowcall.Extractor[Person]:
    return rowcall.Extractor(Person, model="sim", prompt="{{ text }}", **settings)


def test_a_run_in_batches_writes_the_same_output(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("".join(f"Ann is {age}\n" for age in range(20)))
    with people() as extractor:
        stats = extractor.run(tmp_path / "in.txt", tmp_path / "out.jsonl", batch=True)
    assert (stats.done, stats.failed) == (20, {})
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["age"] for line in lines] == list(range(20))


def test_gather_in_batches_needs_a_journal_and_gives_the_same_values(tmp_path: Path) -> None:
    texts = [f"Ann is {age}" for age in range(20)]
    with people() as extractor, pytest.raises(rowcall.ConfigError, match="batches need a journal"):
        asyncio.run(extractor.gather(texts, batch=True))
    with people(journal=tmp_path / "people.journal") as extractor:
        values = asyncio.run(extractor.gather(texts, batch=True))
        assert [value.age for value in values] == list(range(20))
