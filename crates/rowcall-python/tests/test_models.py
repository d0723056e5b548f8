"""Types of values: what Pydantic and msgspec accept is valid, what they reject goes back to the model."""

import asyncio
import dataclasses
import datetime
import enum
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal, Optional

import msgspec
import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person, texts
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, WithJsonSchema, field_validator, model_validator
from typing_extensions import TypedDict


@dataclasses.dataclass
class Data:
    name: str
    age: int


class Dict(TypedDict):
    name: str
    age: int


class Struct(msgspec.Struct):
    name: str
    age: int


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Event(BaseModel):
    name: str
    day: datetime.date
    tags: list[str]
    place: Optional[str] = None


def ask(response, text=TEXTS[0], **settings):
    return rowcall.Extractor(response, model="sim", prompt=PROMPT, **settings).extract_sync(text)


@pytest.mark.parametrize("mode", ["schema", "tool"])
def test_objects_of_each_kind(mode):
    assert ask(Person, mode=mode) == Person(name="John Smith", age=30, occupation="software engineer")
    assert ask(Data, mode=mode) == Data("John Smith", 30)
    assert ask(Dict, mode=mode) == {"name": "John Smith", "age": 30}
    assert ask(Struct, mode=mode) == Struct("John Smith", 30)
    assert ask(Data.__name__ and {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}) == {
        "age": 30
    }


def test_values_that_are_not_objects():
    assert isinstance(ask(Mood), Mood)
    assert ask(Literal["nurse", "engineer"]) in ("nurse", "engineer")
    assert isinstance(ask(int), int)
    assert isinstance(ask(Optional[bool]), (bool, type(None)))
    many = ask(list[Person])
    assert isinstance(many, list) and all(type(one) is Person for one in many)
    assert all(type(one) is Struct for one in ask(list[Struct]))


def test_instances_are_as_pydantic_makes_them():
    event = ask(Event, "The fair is on 2026-03-04")
    assert isinstance(event.day, datetime.date)
    assert event.place is None or isinstance(event.place, str)


def test_validation_errors_are_sent_to_the_model():
    seen = []

    class Picky(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def upper(cls, name: str) -> str:
            seen.append(name)
            if len(seen) == 1:
                raise ValueError("the name must be given again")
            return name.upper()

    people = rowcall.Extractor(Picky, model="sim", prompt=PROMPT)
    (done,) = people.as_completed([TEXTS[0]])
    assert done.value.name == "JOHN SMITH"
    assert (done.prompts, done.attempts, people.stats.reasks) == (2, 2, 1)
    assert len(seen) == 2


def test_an_answer_that_is_never_valid_fails_with_its_violations():
    class Never(BaseModel):
        name: str
        age: int

        @model_validator(mode="after")
        def refuse(self) -> "Never":
            raise ValueError("no name is good enough")

    people = rowcall.Extractor(Never, model="sim", prompt=PROMPT, max_reasks=1)
    with pytest.raises(rowcall.InvalidError) as caught:
        people.extract_sync(TEXTS[0])
    error = caught.value
    assert (error.kind, error.attempts, error.prompts) == ("invalid", 2, 2)
    assert error.violations[0].path == "" and "no name is good enough" in error.violations[0].message
    assert error.best == {"name": "John Smith", "age": 30}
    assert json.loads(error.text)["name"] == "John Smith"
    assert error.usage.input_tokens > 0
    assert "no name is good enough" in str(error)


def test_the_path_of_a_violation_is_a_pointer():
    class Inner(BaseModel):
        ages: list[int]

        @field_validator("ages")
        @classmethod
        def refuse(cls, ages: list[int]) -> list[int]:
            raise ValueError("no")

    class Outer(BaseModel):
        inner: Inner = Field(alias="in/ner")

    with pytest.raises(rowcall.InvalidError) as caught:
        ask(Outer, max_reasks=0)
    assert caught.value.violations[0].path == "/in~1ner/ages"


def test_context_reaches_the_validators():
    class Known(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def known(cls, name: str, info: ValidationInfo) -> str:
            return info.context[name]

    assert ask(Known, context={"John Smith": "J."}).name == "J."
    with pytest.raises(TypeError, match="without a context"):
        ask({"type": "object"}, context={})


def test_an_error_in_the_users_code_is_raised_as_it_is():
    class Broken(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def breaks(cls, name: str) -> str:
            raise ZeroDivisionError("in the user's code")

    people = rowcall.Extractor(Broken, model="sim", prompt=PROMPT)
    with pytest.raises(ZeroDivisionError, match="in the user's code"):
        people.extract_sync(TEXTS[0])
    with pytest.raises(ZeroDivisionError):
        people.gather_sync(TEXTS)
    with pytest.raises(ZeroDivisionError):
        list(people.as_completed(iter(TEXTS)))
    assert people.stats.reasks == 0


def test_a_validator_may_call_a_model_itself():
    inner = rowcall.Extractor(Person, model="sim", prompt=PROMPT)

    class Doubted(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def doubt(cls, name: str) -> str:
            return inner.extract_sync(f"{name} is a 40-year-old judge").occupation

    assert [one.name for one in rowcall.Extractor(Doubted, model="sim", prompt=PROMPT).gather_sync(TEXTS)] == ["judge"] * 7


def test_msgspec_reports_the_path_too():
    class Old(msgspec.Struct):
        name: str
        age: int

        def __post_init__(self) -> None:
            raise ValueError("too young")

    with pytest.raises(rowcall.InvalidError) as caught:
        ask(Old, max_reasks=0)
    assert "too young" in caught.value.violations[0].message


def test_values_that_are_not_types_are_rejected():
    with pytest.raises(TypeError, match="is a string"):
        rowcall.Extractor("name, age", model="sim")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="values cannot be validated against"):
        rowcall.Extractor(object(), model="sim")


def test_what_pydantic_accepts_is_valid_whatever_its_schema_says(tmp_path):
    class Lenient(BaseModel):
        model_config = ConfigDict(extra="allow")
        age: Annotated[Any, WithJsonSchema({"type": "integer"})] = None

    scenario = tmp_path / "wrong.toml"
    scenario.write_text('about = "never what the schema asks for"\n[[faults]]\nrate = 1.0\nkind = "schema_violation"\n')
    lenient = rowcall.Extractor(Lenient, model=f"sim/{scenario}", prompt=PROMPT, max_reasks=0)
    assert isinstance(lenient.extract_sync(TEXTS[0]), Lenient)
    with pytest.raises(rowcall.InvalidError):
        rowcall.Extractor(Person, model=f"sim/{scenario}", prompt=PROMPT, max_reasks=0).extract_sync(TEXTS[0])


def nested(ask) -> type[BaseModel]:
    """A model whose validator asks a model itself."""

    class Doubted(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def doubt(cls, name: str) -> str:
            return ask(f"{name} is a 40-year-old judge").occupation

    return Doubted


def test_a_validator_may_call_a_model_on_another_thread():
    inner = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    with ThreadPoolExecutor(4) as pool:
        doubted = nested(lambda text: pool.submit(inner.extract_sync, text).result(30))
        people = rowcall.Extractor(doubted, model="sim", prompt=PROMPT)
        assert [one.name for one in people.gather_sync(TEXTS[:2])] == ["judge"] * 2


def test_a_validator_may_call_a_model_on_an_event_loop():
    inner = rowcall.Extractor(Person, model="sim", prompt=PROMPT)

    async def ask():
        loop = asyncio.get_running_loop()
        doubted = nested(lambda text: asyncio.run_coroutine_threadsafe(inner.extract(text), loop).result(30))
        return await rowcall.Extractor(doubted, model="sim", prompt=PROMPT).extract(TEXTS[0])

    assert asyncio.run(ask()).name == "judge"


def test_more_calls_than_threads_may_wait_for_calls_of_their_validators():
    inner = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    with ThreadPoolExecutor(40) as pool:
        doubted = nested(lambda text: pool.submit(inner.extract_sync, text).result(30))
        people = rowcall.Extractor(doubted, model="sim", prompt=PROMPT)

        async def everyone(count):
            return await asyncio.gather(*(people.extract(text) for text in texts(count)))

        for count in (30, 1, 30):
            assert {one.name for one in asyncio.run(everyone(count))} == {"judge"}
    # Few are left, and they are reused.
    assert sum(thread.name == "rowcall-validation" for thread in threading.enumerate()) < 40


def test_a_slow_validator_does_not_block_other_calls():
    is_in, may_go = threading.Event(), threading.Event()

    class Slow(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def wait(cls, name: str) -> str:
            is_in.set()
            assert may_go.wait(30)
            return name

    slow = rowcall.Extractor(Slow, model="sim", prompt=PROMPT)
    found = []
    thread = threading.Thread(target=lambda: found.append(slow.extract_sync(TEXTS[0])), daemon=True)
    thread.start()
    assert is_in.wait(30)
    assert rowcall.Extractor(Person, model="sim", prompt=PROMPT).extract_sync(TEXTS[0]).age == 30
    assert not found
    may_go.set()
    thread.join(30)
    assert found[0].name == "John Smith"


def test_values_of_one_call_are_validated_one_at_a_time():
    inside, most = 0, 0

    class Slow(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def count(cls, name: str) -> str:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            # Longer than a thread may be stuck before another takes over.
            time.sleep(0.03)
            inside -= 1
            return name

    rowcall.Extractor(Slow, model="sim", prompt=PROMPT).gather_sync(TEXTS)
    assert most == 1


def test_msgspec_reports_as_much_of_the_path_as_it_knows():
    class Inner(msgspec.Struct):
        age: int

    class Outer(msgspec.Struct):
        people: list[dict[str, Inner]]

    from rowcall import _model

    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(b'{"people": [{"x": {"age": "old"}}]}', type=Outer)
    assert _model.explained_by_msgspec(caught.value) == [("/people/0", "Expected `int`, got `str` (at `[...].age` in it)")]
