"""What goes along with a row: examples and images."""

import dataclasses
import json
from datetime import date
from typing import Any

import msgspec
import pyarrow
import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person
from pydantic import BaseModel, Field

PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


class Dated(BaseModel):
    day: date = Field(alias="on")


class Struct(msgspec.Struct):
    name: str


@dataclasses.dataclass
class Plain:
    name: str


@pytest.mark.parametrize(
    ("response", "value", "answer"),
    [
        (Person, Person(name="Ann", age=3, occupation="none"), {"name": "Ann", "age": 3, "occupation": "none"}),
        (Person, {"name": "Ann", "age": 3, "occupation": "none"}, {"name": "Ann", "age": 3, "occupation": "none"}),
        (Dated, Dated(on=date(2026, 3, 4)), {"on": "2026-03-04"}),
        (Struct, Struct(name="Ann"), {"name": "Ann"}),
        (Plain, Plain(name="Ann"), {"name": "Ann"}),
        ({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}, {"name": "Ann"}, {"name": "Ann"}),
    ],
)
def test_an_example_may_be_an_instance_or_plain_json(response: Any, value: Any, answer: Any):
    people = rowcall.Extractor(response, model="sim", prompt=PROMPT, examples=[("Ann is 3", value), ({"text": "again"}, value)])
    asked, answered, again, _, last = people.preview(TEXTS[0])[1]["messages"]
    assert asked["content"] == "Extract person info: Ann is 3"
    assert json.loads(answered["content"]) == answer
    assert again["content"] == "Extract person info: again"
    assert last["content"] == f"Extract person info: {TEXTS[0]}"


def test_an_example_must_be_valid():
    with pytest.raises(rowcall.ConfigError, match="example"):
        rowcall.Extractor(Person, model="sim", prompt=PROMPT, examples=[("Ann is 3", {"name": "Ann"})])


def test_images_are_sent():
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT, images=["picture"])
    assert people.variables == ["picture", "text"]
    content = people.preview({"text": TEXTS[0], "picture": PIXEL})[1]["messages"][-1]["content"]
    assert [part["type"] for part in content] == ["image_url", "text"] and content[0]["image_url"]["url"] == PIXEL
    made = people.map_table(pyarrow.table({"text": TEXTS, "picture": [PIXEL] * 7, "beside": range(7)}))
    assert made.column("_error").null_count == 7
    with pytest.raises(rowcall.ConfigError, match="`picture`"):
        people.map_table(pyarrow.table({"text": TEXTS}))
