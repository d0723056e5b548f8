"""`gather` beside `asyncio.gather`, on the same fakes: where they agree, and the one difference."""

import asyncio

import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person, Story

BAD = '''
[[faults]]
rate = 1.0
contains = "Mike Davis"
kind = { status = { code = 413 } }
'''


@pytest.fixture
def people(story: Story) -> "rowcall.Extractor[Person]":
    return rowcall.Extractor(Person, model=story(BAD), prompt=PROMPT)


def both(people, rows, **options):
    """What asyncio's gather gives over single rows, and what ours gives."""

    async def theirs():
        return await asyncio.gather(*(people.extract(row) for row in rows), **options)

    async def ours():
        return await people.gather(rows, **options)

    return theirs, ours


def test_the_same_values_in_the_same_order(people):
    theirs, ours = both(people, TEXTS[:2] + TEXTS[3:])
    assert asyncio.run(theirs()) == asyncio.run(ours())


def test_the_same_exception_first(people):
    for way in both(people, TEXTS):
        with pytest.raises(rowcall.TooLargeError) as caught:
            asyncio.run(way())
        assert caught.value.status == 413


def test_the_same_exceptions_in_place(people):
    theirs, ours = (asyncio.run(way()) for way in both(people, TEXTS, return_exceptions=True))
    assert [type(value) for value in theirs] == [type(value) for value in ours]
    assert isinstance(ours[2], rowcall.TooLargeError) and ours[2].index == 2
    assert [value for value in theirs if isinstance(value, Person)] == [
        value for value in ours if isinstance(value, Person)
    ]


def test_cancelling_the_task_cancels_its_requests(story: Story):
    model = story('[held]\ncontains = " is a "\nuntil_answered = 1000000\n')
    for which in (0, 1):
        people = rowcall.Extractor(Person, model=model, prompt=PROMPT)

        async def cancel(people=people, which=which):
            task = asyncio.create_task(both(people, TEXTS)[which]())
            while people.stats.in_flight < len(TEXTS):
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            # The server notices that the connections are closed.
            while people._core.simulator_stats()["in_flight"]["now"]:
                await asyncio.sleep(0.001)

        asyncio.run(asyncio.wait_for(cancel(), 30))


def test_a_time_limit_ends_both(story: Story):
    model = story('[held]\ncontains = " is a "\nuntil_answered = 1000000\n')
    people = rowcall.Extractor(Person, model=model, prompt=PROMPT)
    for way in both(people, TEXTS):
        with pytest.raises((asyncio.TimeoutError, TimeoutError)):
            asyncio.run(asyncio.wait_for(way(), 0.05))


def test_the_difference_is_that_siblings_are_cancelled(story: Story):
    # As with TaskGroup: the call does not wait for the row that the server holds back.
    model = story(BAD + '[held]\ncontains = "John Smith"\nuntil_answered = 1000000\n')
    people = rowcall.Extractor(Person, model=model, prompt=PROMPT)
    with pytest.raises(rowcall.TooLargeError):
        asyncio.run(asyncio.wait_for(people.gather(TEXTS), 30))
    assert people.stats.done < len(TEXTS)
