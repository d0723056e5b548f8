"""What rows would take, without asking about them."""

from typing import Any

import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person, Story, texts

PRICE = "in=1,out=2"


def people(model: str = "sim", **settings: Any) -> Any:
    return rowcall.Extractor(Person, model=model, prompt=PROMPT, price=PRICE, **settings)


def test_an_estimate_sends_nothing_and_says_rows_tokens_and_costs() -> None:
    rows = [*texts(200), texts(1)[0], {"other": 1}]
    with people(max_output_tokens=200) as asked:
        estimate = asked.estimate(iter(rows))
        assert asked.stats.requests == 0
        assert (estimate.rows, estimate.asked, estimate.equal, estimate.unaskable, estimate.cached) == (202, 200, 1, 1, 0)
        assert estimate.output_tokens_low <= estimate.output_tokens <= estimate.output_tokens_high
        assert 0 < estimate.cost_low <= estimate.cost <= estimate.cost_high <= estimate.cost_at_most
        asked.gather_sync(rows[:200])
        assert asked.stats.input_tokens == estimate.input_tokens
        assert estimate.output_tokens_low <= asked.stats.output_tokens <= estimate.output_tokens_high
    shown = estimate._repr_html_()
    assert "200 to ask, 1 equal" in shown and "a quarter of the bytes" in shown


def test_what_is_in_the_cache_costs_nothing(story: Story, tmp_path: Any) -> None:
    with people(story(""), cache=tmp_path / "people.cache") as asked:
        asked.gather_sync(TEXTS[:3])
        estimate = asked.estimate(TEXTS)
        assert (estimate.rows, estimate.asked, estimate.cached) == (7, 4, 3)
        assert asked.estimate(TEXTS[:3]).cost == 0


def test_tables_are_estimated_as_they_are_asked() -> None:
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    with people() as asked:
        expected = asked.estimate(TEXTS)
        for table in (pandas.DataFrame({"text": TEXTS, "n": range(7)}), polars.DataFrame({"text": TEXTS})):
            assert asked.estimate(table) == expected


def test_a_price_that_is_not_known_is_none() -> None:
    with rowcall.Extractor(Person, model="openai/gpt-9-nobody", prompt=PROMPT, api_key="key") as asked:
        estimate = asked.estimate(TEXTS)
    assert (estimate.cost, estimate.cost_low, estimate.cost_at_most) == (None, None, None) and estimate.input_tokens > 0
    assert "unknown" in estimate._repr_html_()


def test_what_are_not_rows_is_refused() -> None:
    async def rows() -> Any:
        yield "Ann is 30"

    with people() as asked:
        for wrong, match in [("Ann is 30", "type `str`"), (rows(), "asynchronous"), (7, "type `int`")]:
            with pytest.raises(TypeError, match=match):
                asked.estimate(wrong)
