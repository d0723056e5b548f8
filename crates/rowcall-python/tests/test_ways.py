"""The ways of asking, each against the simulator."""

import asyncio
import copy
import gc
import pickle

import pandas
import pytest
import rowcall
from conftest import NAMES, PROMPT, TEXTS, Person, Story, texts


@pytest.fixture
def people() -> "rowcall.Extractor[Person]":
    return rowcall.Extractor(Person, model="sim", prompt=PROMPT)


def test_one_row(people):
    person = people.extract_sync(TEXTS[0])
    assert person == Person(name="John Smith", age=30, occupation="software engineer")
    assert type(person) is Person
    assert asyncio.run(people.extract(TEXTS[1])).name == "Sarah Johnson"


def test_all_at_once_in_the_order_of_the_rows(people):
    everyone = asyncio.run(people.gather(TEXTS))
    assert [person.name for person in everyone] == NAMES
    assert all(type(person) is Person for person in everyone)
    assert [person.name for person in people.gather_sync(TEXTS)] == NAMES


def test_as_they_are_completed(people):
    async def collect():
        return [done async for done in people.as_completed(TEXTS, concurrency=2)]

    for outcomes in (asyncio.run(collect()), list(people.as_completed(TEXTS))):
        assert sorted(done.index for done in outcomes) == list(range(7))
        for done in outcomes:
            assert done.ok and done.error is None
            assert done.value.name == NAMES[done.index]
            assert done.usage.input_tokens > 0 and done.usage.total_tokens > done.usage.output_tokens > 0
            assert done.attempts == done.prompts == 1
            assert done.latency > 0


def test_completion_order_is_not_input_order(story: Story):
    model = story('[held]\ncontains = "John Smith"\nuntil_answered = 6\n')
    people = rowcall.Extractor(Person, model=model, prompt=PROMPT)
    assert [done.index for done in people.as_completed(TEXTS)] != list(range(7))
    assert [done.index for done in people.ordered(TEXTS)] == list(range(7))


def most_in_flight(people) -> int:
    return people._core.simulator_stats()["in_flight"]["max"]


def test_concurrency_is_kept():
    ways = [
        lambda people: asyncio.run(people.rate_limited_gather(TEXTS, 2)),
        lambda people: list(people.rate_limited_as_completed(TEXTS, 2)),
        lambda people: people.gather_sync(TEXTS, concurrency=2),
    ]
    for way in ways:
        people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
        assert len(way(people)) == 7
        assert most_in_flight(people) == 2
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT, concurrency=3)
    people.gather_sync(TEXTS)
    assert most_in_flight(people) == 3


def test_one_after_another(people):
    assert [person.name for person in asyncio.run(people.sequential(TEXTS))] == NAMES
    assert [person.name for person in people.sequential_sync(TEXTS)] == NAMES
    assert most_in_flight(people) == 1


def test_a_generator_of_values_in_order(people):
    values = people.map(text for text in texts(3000))
    assert [value.age for value in values] == [20 + number % 60 for number in range(3000)]


def test_no_rows(people):
    assert asyncio.run(people.gather([])) == []
    assert people.gather_sync(iter(())) == []
    assert list(people.as_completed([])) == []
    assert people.sequential_sync([]) == []


def test_without_asyncio_while_a_loop_is_running(people):
    async def cell():
        return people.extract_sync(TEXTS[0]), people.gather_sync(TEXTS[:2])

    one, two = asyncio.run(cell())
    assert one.name == "John Smith" and len(two) == 2


def test_several_loops_and_calls_at_the_same_time(people):
    async def many():
        return await asyncio.gather(*(people.extract(text) for text in TEXTS), people.gather(TEXTS))

    for _ in range(3):
        *singles, everyone = asyncio.run(many())
        assert singles == everyone


def test_equal_rows_are_asked_once_and_have_instances_of_their_own(people):
    one, two = people.gather_sync([TEXTS[0], TEXTS[0]])
    assert one == two and one is not two
    assert people.stats.requests == 1
    each = rowcall.Extractor(Person, model="sim", prompt=PROMPT, dedup=False)
    each.gather_sync([TEXTS[0], TEXTS[0]])
    assert each.stats.requests == 2


def test_leaving_early_cancels_requests_in_flight(story: Story):
    people = rowcall.Extractor(Person, model=story('[held]\ncontains = "Ann"\nuntil_answered = 1000\n'), prompt=PROMPT)

    async def leave():
        async for done in people.as_completed([TEXTS[0], *texts(5)]):
            assert done.index == 0
            break
        gc.collect()
        while people._core.simulator_stats()["in_flight"]["now"]:
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(leave(), 30))
    assert people.stats.done == 1


def test_the_first_request_can_be_seen(people):
    url, body = people.preview(TEXTS[0])
    assert url.endswith("/chat/completions")
    assert body["messages"][-1]["content"] == f"Extract person info: {TEXTS[0]}"
    assert people.stats.requests == 0
    assert people.variables == ["text"]


def test_wrong_use_is_reported(people):
    with pytest.raises(TypeError, match="`str`"):
        people.gather_sync("one text")
    with pytest.raises(TypeError, match="`dict`"):
        people.gather_sync({"text": TEXTS[0]})
    with pytest.raises(TypeError, match="`map_table` takes tables"):
        people.gather_sync(pandas.DataFrame({"text": TEXTS}))
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="make one in each process"):
            copied(people)
    with pytest.raises(ValueError, match="concurrency `0`"):
        people.gather_sync(TEXTS, concurrency=0)
    with pytest.raises(TypeError, match="`max_retries` is not a setting"):
        rowcall.Extractor(Person, model="sim", max_retries=3)


def test_the_guides_names_have_the_options_of_gather(story: Story, capsys):
    model = story('[[faults]]\nrate = 1.0\ncontains = "Lisa Wilson"\nkind = "refusal"\n')
    people = rowcall.Extractor(Person, model=model, prompt=PROMPT)
    found = asyncio.run(people.rate_limited_gather(TEXTS, 2, return_exceptions=True, progress=True))
    assert [isinstance(each, rowcall.RefusalError) for each in found] == [False] * 3 + [True] + [False] * 3
    one_by_one = people.gather_sync(TEXTS, concurrency=1, return_exceptions=True)
    assert isinstance(one_by_one[3], rowcall.RefusalError)
    assert people.sequential_sync(TEXTS[:3], progress=True) == found[:3] == one_by_one[:3]
    assert capsys.readouterr().err.count("Person") >= 2
