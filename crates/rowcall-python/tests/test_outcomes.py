"""Outcomes that several take from, that others close, and whose rows are asynchronous."""

import asyncio
import threading

import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person, Story, texts

HELD = '[held]\ncontains = " is a "\nuntil_answered = 1000000\n'


@pytest.fixture
def people() -> "rowcall.Extractor[Person]":
    return rowcall.Extractor(Person, model="sim", prompt=PROMPT)


def test_several_tasks_share_outcomes(people):
    async def share():
        outcomes = people.as_completed(texts(300))

        async def take():
            return [done.index async for done in outcomes]

        return await asyncio.gather(take(), take(), take())

    parts = asyncio.run(asyncio.wait_for(share(), 30))
    assert sorted(index for part in parts for index in part) == list(range(300))


def test_several_threads_share_outcomes(people):
    outcomes = people.as_completed(iter(texts(300)))
    found: list[int] = []

    def take():
        for done in outcomes:
            found.append(done.index)

    threads = [threading.Thread(target=take, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == list(range(300))


def test_closing_outcomes_wakes_other_waiters(story: Story):
    people = rowcall.Extractor(Person, model=story(HELD), prompt=PROMPT)
    outcomes = people.as_completed(TEXTS)

    async def others():
        async def take():
            return [done async for done in outcomes]

        task = asyncio.create_task(take())
        while not people.stats.in_flight:
            await asyncio.sleep(0.001)
        outcomes.close()
        return await task

    assert asyncio.run(asyncio.wait_for(others(), 30)) == []

    outcomes = people.as_completed(TEXTS)
    found = []
    thread = threading.Thread(target=lambda: found.append(list(outcomes)), daemon=True)
    thread.start()
    while outcomes._call is None:
        thread.join(0.001)
    outcomes.close()
    thread.join(30)
    assert found == [[]]


def test_closing_outcomes_on_another_thread_cancels_their_asynchronous_rows(people):
    async def take():
        over = asyncio.Event()

        async def rows():
            try:
                yield TEXTS[0]
                await asyncio.sleep(1000)
            finally:
                over.set()

        outcomes = people.as_completed(rows())
        await outcomes.__anext__()
        thread = threading.Thread(target=outcomes.close)
        thread.start()
        await asyncio.wait_for(over.wait(), 10)
        thread.join()

    # An event loop in debug mode refuses what other threads may not do.
    asyncio.run(take(), debug=True)


@pytest.mark.parametrize("way", ["gather_sync", "sequential_sync", "as_completed", "ordered", "map"])
def test_asynchronous_rows_are_refused_where_they_would_block_their_own_loop(people, way):
    async def rows():
        yield TEXTS[0]

    async def ask():
        list(getattr(people, way)(rows()))

    with pytest.raises(TypeError, match="asynchronous"):
        asyncio.run(asyncio.wait_for(ask(), 30))


def test_a_loop_over_outcomes_may_change_its_kind_unless_its_rows_need_the_event_loop(people):
    async def rows():
        yield TEXTS[0]
        await asyncio.Event().wait()

    async def ask(rows):
        outcomes = people.as_completed(rows)
        await outcomes.__anext__()
        return list(outcomes)

    assert len(asyncio.run(ask(TEXTS))) == 6
    with pytest.raises(TypeError, match="asynchronous"):
        asyncio.run(ask(rows()))


def test_rows_that_are_cancelled_end_the_call(people):
    async def rows():
        yield TEXTS[0]
        waiting = asyncio.ensure_future(asyncio.sleep(1000))
        waiting.cancel()
        await waiting

    async def ask():
        with pytest.raises(asyncio.CancelledError):
            await people.gather(rows())

    asyncio.run(asyncio.wait_for(ask(), 30))


def test_a_cancelled_wait_leaves_nothing_behind(people, story: Story):
    held = rowcall.Extractor(Person, model=story(HELD), prompt=PROMPT)

    async def impatient():
        from rowcall import _loop

        outcomes = held.as_completed(TEXTS)
        for _ in range(3):
            with pytest.raises((asyncio.TimeoutError, TimeoutError)):
                await asyncio.wait_for(outcomes.__anext__(), 0.01)
        ear = _loop._ears[asyncio.get_running_loop()]
        assert not ear.waiting
        outcomes.close()
        # The bell has no more waiters.
        assert ear.bell.take() == []

    asyncio.run(impatient())
