"""Nothing that was paid for is lost: what is done goes along with the exception that ends a call, and is in the journal."""

import asyncio
import sys
import threading
import time
from typing import Any

import pandas
import pyarrow
import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person, Story

REFUSED = '[[faults]]\nrate = 1.0\ncontains = "Lisa Wilson"\nkind = { status = { code = 413 } }\n'
# All but one are answered.
HELD = '[held]\ncontains = "Lisa Wilson"\nuntil_answered = 1000000\n'


def interrupt_when(done: Any) -> threading.Thread:
    """Presses Ctrl-C once `done` says so."""
    import _thread

    def press() -> None:
        while not done():
            time.sleep(0.001)
        _thread.interrupt_main()

    thread = threading.Thread(target=press, daemon=True)
    thread.start()
    return thread


def refused_last(people: Any) -> Any:
    """The rows, of which the one that is refused comes when all others are done."""
    yield from TEXTS[:3] + TEXTS[4:]
    while people.stats.done < 6:
        time.sleep(0.001)
    yield TEXTS[3]


def notes(error: BaseException) -> str:
    return "\n".join(getattr(error, "__notes__", ()))


@pytest.mark.parametrize("way", ["gather", "gather_sync", "sequential", "sequential_sync", "map"])
def test_the_first_failure_carries_the_other_outcomes(story: Story, way: str):
    people = rowcall.Extractor(Person, model=story(REFUSED), prompt=PROMPT)
    rows = refused_last(people) if "gather" in way else TEXTS
    with pytest.raises(rowcall.TooLargeError) as caught:
        if way == "map":
            for value in people.map(rows):
                assert isinstance(value, Person)
        elif way.endswith("sync"):
            getattr(people, way)(rows)
        else:
            asyncio.run(getattr(people, way)(rows))
    outcomes = caught.value.outcomes
    assert all(done.ok and isinstance(done.value, Person) for done in outcomes)
    if "gather" in way:
        assert [done.index for done in outcomes] == [0, 1, 2, 3, 4, 5]
    if "sequential" in way:
        assert [done.index for done in outcomes] == [0, 1, 2] and people.stats.requests == 4
    if "map" not in way and sys.version_info >= (3, 11):
        assert f"{len(outcomes)} other rows are done" in notes(caught.value) and "`journal=PATH`" in notes(caught.value)


def test_an_interruption_carries_the_finished_outcomes(story: Story, tmp_path):
    people = rowcall.Extractor(Person, model=story(HELD), prompt=PROMPT, journal=tmp_path / "people.journal")
    interrupt_when(lambda: people.stats.done == 6)
    with pytest.raises(KeyboardInterrupt) as caught:
        people.gather_sync(TEXTS)
    outcomes = caught.value.outcomes  # type: ignore[attr-defined]
    assert [done.index for done in outcomes] == [0, 1, 2, 4, 5, 6]
    if sys.version_info >= (3, 11):
        assert "continues from the journal" in notes(caught.value)


def test_a_cancelled_gather_carries_the_finished_outcomes(story: Story):
    people = rowcall.Extractor(Person, model=story(HELD), prompt=PROMPT)

    async def cancelled() -> Any:
        task = asyncio.create_task(people.gather(TEXTS))
        while people.stats.done < 6:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return caught.value.outcomes  # type: ignore[attr-defined]

    assert len(asyncio.run(asyncio.wait_for(cancelled(), 30))) == 6


@pytest.mark.parametrize("kind", ["pandas", "pyarrow"])
def test_an_interrupted_table_keeps_finished_rows(story: Story, kind: str):
    people = rowcall.Extractor(Person, model=story(HELD), prompt=PROMPT)
    table: Any = pandas.DataFrame({"text": TEXTS}) if kind == "pandas" else pyarrow.table({"text": TEXTS})
    interrupt_when(lambda: people.stats.done == 6)
    with pytest.raises(KeyboardInterrupt) as caught:
        people.map_table(table)
    made = caught.value.outcomes  # type: ignore[attr-defined]
    assert type(made) is type(table)
    rows = (pyarrow.Table.from_pandas(made) if kind == "pandas" else made).to_pylist()
    assert [row["name"] for row in rows] == ["John Smith", "Sarah Johnson", "Mike Davis", None, "Tom Brown", "Emma Garcia", "David Lee"]
    errors = [row["_error"] for row in rows]
    assert errors[3]["kind"] == "abandoned" and errors[:3] + errors[4:] == [None] * 6


def test_a_cancelled_table_is_kept_as_well(story: Story):
    people = rowcall.Extractor(Person, model=story(HELD), prompt=PROMPT)

    async def cancelled() -> Any:
        task = asyncio.create_task(people.map_table_async(pyarrow.table({"text": TEXTS})))
        while people.stats.done < 6:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return caught.value.outcomes  # type: ignore[attr-defined]

    assert asyncio.run(asyncio.wait_for(cancelled(), 30)).column("_error").null_count == 6


def test_recorded_rows_are_not_asked_again_after_a_failure(story: Story, tmp_path):
    model, journal = story(REFUSED), tmp_path / "people.journal"
    with rowcall.Extractor(Person, model=model, prompt=PROMPT, journal=journal) as people:
        with pytest.raises(rowcall.TooLargeError):
            people.gather_sync(refused_last(people))
    with rowcall.Extractor(Person, model=model, prompt=PROMPT, journal=journal) as people:
        values = people.gather_sync(TEXTS, return_exceptions=True)
        assert sum(isinstance(value, Person) for value in values) == 6
        assert people.stats.known >= 6 and people.stats.requests <= 8


@pytest.mark.parametrize("way", ["with", "async with"])
def test_a_journal_can_be_opened_again_as_soon_as_it_is_closed(story: Story, tmp_path, way: str):
    model, journal = story(HELD), tmp_path / "people.journal"

    async def cancelled() -> int:
        async with rowcall.Extractor(Person, model=model, prompt=PROMPT, journal=journal) as people:
            task = asyncio.create_task(people.gather(TEXTS))
            while people.stats.done < 6:
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return people.stats.known

    def interrupted() -> int:
        with rowcall.Extractor(Person, model=model, prompt=PROMPT, journal=journal) as people:
            interrupt_when(lambda: people.stats.done == 6)
            with pytest.raises(KeyboardInterrupt):
                people.gather_sync(TEXTS)
            return people.stats.known

    assert [interrupted() if way == "with" else asyncio.run(cancelled()) for _ in range(3)] == [0, 6, 6]
