"""A cache that extractors and processes share: what one has asked, no other asks again."""

import asyncio
import json
import subprocess
import sys
from typing import Annotated, Any

import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person, Story
from pydantic import AfterValidator, BaseModel


def people(model: str, cache: Any, response: Any = Person, **settings: Any) -> Any:
    return rowcall.Extractor(response, model=model, prompt=PROMPT, cache=cache, **settings)


def test_the_next_extractor_reuses_cached_answers(story: Story, tmp_path):
    model, cache, events = story(""), tmp_path / "people.cache", []
    with people(model, cache) as first:
        asked = first.gather_sync(TEXTS)
    assert first.stats.requests == 7 and first.stats.cached == 0
    with people(model, cache, on_event=events.append) as second:
        found = asyncio.run(second.gather(TEXTS))
        done = list(second.as_completed(TEXTS[:1]))
    assert found == asked and all(isinstance(person, Person) for person in found)
    assert (second.stats.requests, second.stats.cached, second.stats.known) == (0, 8, 8)
    assert done[0].from_cache and done[0].attempts == 0 and done[0].cost == 0 and done[0].model is not None
    known = [event.details["from"] for event in events if event.kind == "known"]
    assert known.count("cache") == len(known) >= 7
    assert "(8 from the cache)" in second.stats._repr_html_()


def test_another_process_reuses_cached_answers(story: Story, tmp_path):
    model, cache = story(""), tmp_path / "people.cache"
    with people(model, cache, {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}) as first:
        asked = first.gather_sync(TEXTS)
    program = f"""
import json, rowcall
schema = {{"type": "object", "properties": {{"age": {{"type": "integer"}}}}, "required": ["age"]}}
with rowcall.Extractor(schema, model={model!r}, prompt={PROMPT!r}, cache={str(cache)!r}) as people:
    values = people.gather_sync({TEXTS!r})
    print(json.dumps([values, people.stats.requests]))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == [asked, 0]


def test_each_python_model_has_its_own_answers(story: Story, tmp_path):
    model, cache = story(""), tmp_path / "people.cache"

    class Aged(BaseModel):
        age: int

    class Grown(BaseModel):
        age: Annotated[int, AfterValidator(lambda age: max(age, 18))]

    assert Aged.model_json_schema()["properties"] == Grown.model_json_schema()["properties"]
    for response, requests in ((Aged, 7), (Aged, 0), (Grown, 7), (Grown, 0)):
        with people(model, cache, response) as extractor:
            assert all(isinstance(person, response) for person in extractor.gather_sync(TEXTS))
            assert extractor.stats.requests == requests


def test_a_changed_rule_validates_cached_answers(story: Story, tmp_path):
    model, cache = story(""), tmp_path / "people.cache"
    limit = 100

    def young(row: Any, person: Person) -> str | None:
        return None if person.age < limit else f"is {person.age}, expected less than {limit}"

    for limit, requests, failed in ((100, 7, 0), (100, 0, 0)):
        with people(model, cache, check=young, max_reasks=0) as extractor:
            extractor.gather_sync(TEXTS, return_exceptions=True)
            assert (extractor.stats.requests, extractor.stats.failures) == (requests, failed)
    limit = 30
    with people(model, cache, check=young, max_reasks=0) as extractor:
        results = extractor.gather_sync(TEXTS, return_exceptions=True)
        assert all(isinstance(result, rowcall.RowError) or result.age < 30 for result in results)
        assert 0 < extractor.stats.failures < 7 and extractor.stats.cached == 7 - extractor.stats.failures


def test_files_and_tables_use_the_cache(story: Story, tmp_path):
    model, cache = story(""), tmp_path / "people.cache"
    (tmp_path / "in.txt").write_text("\n".join(TEXTS) + "\n")
    first = rowcall.run(tmp_path / "in.txt", tmp_path / "one.jsonl", response=Person, model=model, prompt=PROMPT, cache=cache)
    second = rowcall.run(tmp_path / "in.txt", tmp_path / "two.jsonl", response=Person, model=model, prompt=PROMPT, cache=cache, meta=True)
    assert (first.requests, second.requests, second.cached) == (7, 0, 7)
    rows = [json.loads(line) for line in (tmp_path / "two.jsonl").read_text().splitlines()]
    assert all(row.pop("_meta")["from_cache"] for row in rows)
    assert rows == [json.loads(line) for line in (tmp_path / "one.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        (".", "is a directory, expected a file"),
        ("in.txt", "is not a rowcall cache"),
        (object(), "expected a file name"),
    ],
)
def test_a_file_that_is_not_a_cache_is_rejected(story: Story, tmp_path, cache: Any, expected: str):
    (tmp_path / "in.txt").write_text("text, and more of it than the header of a file of SQLite's has, so that it is looked at at all, " * 3)
    place = tmp_path / cache if isinstance(cache, str) else cache
    with pytest.raises(rowcall.ConfigError, match=expected):
        people(story(""), place)
    with pytest.raises(rowcall.ConfigError, match="equal rows are asked individually"):
        people(story(""), tmp_path / "people.cache", dedup=False)
