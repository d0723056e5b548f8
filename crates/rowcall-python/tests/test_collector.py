"""Unreferenced objects are freed: outcomes, exceptions, the extractor and its journal."""

import asyncio
import gc
import json
import threading
import weakref
from typing import Any

import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person
from pydantic import BaseModel


class Held:
    """What a frame holds."""


def test_an_outcome_whose_exception_was_raised_is_collected():
    people = rowcall.Extractor(Person, model="sim", prompt="{{ nome }}")
    seen = []

    def handle(done: "rowcall.Outcome[Person]") -> None:
        held = Held()
        seen.append(weakref.ref(held))
        with pytest.raises(rowcall.TemplateError):
            _ = done.value

    for done in people.as_completed(TEXTS):
        handle(done)
    del done
    gc.collect()
    assert [found() for found in seen] == [None] * 7


def test_the_traceback_of_an_outcome_does_not_grow():
    (done,) = rowcall.Extractor(Person, model="sim", prompt="{{ nome }}").as_completed(TEXTS[:1])
    for _ in range(5):
        with pytest.raises(rowcall.TemplateError) as caught:
            _ = done.value
    assert len(caught.traceback) == 1 and caught.value is done.error


@pytest.mark.parametrize("way", ["extract_sync", "gather_sync", "sequential_sync"])
def test_failures_are_freed_without_the_collector(way):
    people = rowcall.Extractor(Person, model="sim", prompt="{{ nome }}")
    found = weakref.ref(people)
    ask, rows = getattr(people, way), TEXTS[0] if way == "extract_sync" else TEXTS
    del people
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(rowcall.TemplateError):
            ask(rows)
        del ask
        assert found() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("way", ["extract", "gather"])
def test_a_failed_call_releases_the_journal(way, tmp_path):
    path = tmp_path / "people.journal"

    def ask() -> None:
        people = rowcall.Extractor(Person, model="sim", prompt="{{ nome }}", journal=path)
        with pytest.raises(rowcall.TemplateError):
            asyncio.run(people.extract(TEXTS[0]) if way == "extract" else people.gather(TEXTS))

    ask()
    # Event loops leave cycles of their own.
    gc.collect()
    rowcall.Extractor(Person, model="sim", prompt="{{ nome }}", journal=path).close()


def test_an_extractor_that_its_own_context_holds_is_collected():
    def made() -> "weakref.ref[Any]":
        context: dict[str, Any] = {}
        context["people"] = rowcall.Extractor(Person, model="sim", prompt=PROMPT, context=context)
        return weakref.ref(context["people"])

    found = made()
    gc.collect()
    assert found() is None


def test_an_extractor_that_its_own_model_holds_is_collected():
    class Model(BaseModel):
        name: str

    Model.people = rowcall.Extractor(Model, model="sim", prompt=PROMPT)  # type: ignore[attr-defined]
    found = weakref.ref(Model.people)  # type: ignore[attr-defined]
    del Model
    gc.collect()
    assert found() is None


def test_a_closed_extractor_releases_its_journal(tmp_path):
    path = tmp_path / "people.journal"
    with rowcall.Extractor(Person, model="sim", prompt=PROMPT, journal=path) as people:
        first = people.gather_sync(TEXTS)
    again = rowcall.Extractor(Person, model="sim", prompt=PROMPT, journal=path)
    assert again.gather_sync(TEXTS) == first and again.stats.known == 7
    # What was counted stays; nothing else can be done.
    assert people.stats.requests == 7
    people.close()
    for ask in (people.extract_sync, people.preview, lambda row: people.gather_sync([row]), lambda row: people.variables):
        with pytest.raises(ValueError, match="closed"):
            ask(TEXTS[0])
    assert json.dumps(again.stats)


def test_a_closed_extractor_releases_its_callback():
    def made() -> "weakref.ref[Any]":
        people = rowcall.Extractor(Person, model="sim", prompt=PROMPT, on_event=lambda event: people.stats)
        thread = next(thread for thread in threading.enumerate() if thread.name == "rowcall-events" and thread not in before)
        people.extract_sync(TEXTS[0])
        people.close()
        thread.join(30)
        return weakref.ref(people)

    before = threading.enumerate()
    found = made()
    gc.collect()
    assert found() is None
