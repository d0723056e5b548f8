"""Limits that a call stops at: what it may cost, how long it may take, how many rows may fail."""

from decimal import Decimal
from pathlib import Path

import pytest
import rowcall
from conftest import PROMPT, Person, Story, texts

PRICE = "in=1,out=2"
TEXTS = texts(60)


def test_a_budget_is_shared_by_the_extractors_of_a_client() -> None:
    # A request may cost about a cent, and costs about a hundredth of that.
    with rowcall.Client("sim", price=PRICE, budget=0.5) as client:
        one = client.extractor(Person, prompt=PROMPT)
        other = client.extractor(Person, prompt="Who? {{ text }}")
        assert len(one.gather_sync(TEXTS)) == len(other.gather_sync(TEXTS)) == 60
        assert 0 < one.stats.cost + other.stats.cost == one.stats.cost_at_most + other.stats.cost_at_most < 0.5


@pytest.mark.parametrize("budget", [1e-05, "0.00001", Decimal("0.00001")])
def test_requests_beyond_the_budget_are_not_sent(budget: object) -> None:
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT, price=PRICE, budget=budget)
    with pytest.raises(rowcall.LimitError, match=r"the budget of \$0\.00001 is less than the \$0\.0") as raised:
        people.gather_sync(TEXTS)
    assert (raised.value.kind, people.stats.requests) == ("limit", 0)


def test_a_budget_that_cannot_be_enforced_is_rejected() -> None:
    for settings, match in [
        ({"model": "openai/gpt-9-nobody", "api_key": "key", "budget": 5}, "no price is known"),
        ({"model": "sim", "budget": "five"}, "`five` is not an amount"),
        ({"model": "sim", "budget": [5]}, "expected US dollars"),
        ({"model": "sim", "budget": -1}, "`-1` is not an amount"),
    ]:
        with pytest.raises(rowcall.ConfigError, match=match):
            rowcall.Extractor(Person, prompt=PROMPT, **settings)
    with pytest.raises(TypeError, match="`budget` is a setting of the account"):
        rowcall.Client("sim").extractor(Person, prompt=PROMPT, budget=5)


def test_earlier_runs_of_a_journal_count(tmp_path: Path) -> None:
    settings = {"model": "sim", "price": PRICE, "journal": tmp_path / "a.journal"}
    with rowcall.Extractor(Person, prompt=PROMPT, **settings) as people:
        people.gather_sync(TEXTS)
        spent = people.stats.cost
    with rowcall.Extractor(Person, prompt=PROMPT, budget=Decimal(str(spent)) / 2, **settings) as people:
        assert len(people.gather_sync(TEXTS)) == 60  # all is known
        with pytest.raises(rowcall.LimitError, match="is used up"):
            people.gather_sync(["Bob Ray is a 33-year-old cook"])


def test_a_call_stops_at_its_deadline_and_when_too_many_rows_fail(story: Story) -> None:
    slow = story("[latency.fixed]\nseconds = 0.2")
    people = rowcall.Extractor(Person, model=slow, prompt=PROMPT, concurrency=1, deadline=0.5)
    with pytest.raises(rowcall.LimitError, match="the deadline of 500ms has passed"):
        people.gather_sync(TEXTS)
    assert 0 < people.stats.done < 60 and people.stats.in_flight == 0
    declines = story("[[faults]]\nrate = 1.0\nkind = 'refusal'")
    for failures, match in [(2, "3 of 3 rows have failed"), ("2", "expected at most 2")]:
        people = rowcall.Extractor(Person, model=declines, prompt=PROMPT, concurrency=1, max_failures=failures)
        with pytest.raises(rowcall.LimitError, match=match):
            list(people.as_completed(TEXTS))
    with pytest.raises(rowcall.ConfigError, match="not a limit on failures"):
        rowcall.Extractor(Person, model="sim", prompt=PROMPT, max_failures="some")
