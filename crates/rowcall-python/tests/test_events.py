"""What may be watched: events, lines of the log, progress, statistics."""

import asyncio
import logging
import threading

import pyarrow
import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person, Story

FLAKY = "[[faults]]\nrate = 1.0\nattempts = 1\nkind = { status = { code = 500, retry_after_ms = 1 } }\n"


def test_events_come_in_order_from_a_thread_of_their_own(story: Story):
    seen: list[rowcall.Event] = []
    threads = set()
    over = threading.Event()

    def on_event(event: rowcall.Event) -> None:
        seen.append(event)
        threads.add(threading.current_thread().name)
        if event.kind == "ended":
            over.set()

    people = rowcall.Extractor(Person, model=story(FLAKY), prompt=PROMPT, on_event=on_event)
    people.extract_sync(TEXTS[0])
    assert over.wait(30)
    kinds = [event.kind for event in seen]
    assert kinds == ["taken", "sent", "failed", "waits", "sent", "answered", "ended"]
    assert seen[2].details["fault"] == "server"
    assert seen[-1].details["attempts"] == 2 and seen[-1].details["failure"] is None
    assert threads == {"rowcall-events"}


def test_a_callback_that_raises_fails_no_run(caplog):
    over = threading.Event()

    def on_event(event: rowcall.Event) -> None:
        if event.kind == "ended":
            over.set()
        raise ValueError("not my day")

    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT, on_event=on_event)
    assert people.extract_sync(TEXTS[0]).age == 30
    assert over.wait(30)


def test_the_log_has_what_went_wrong(story: Story, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "rowcall")
    over = threading.Event()
    people = rowcall.Extractor(
        Person, model=story(FLAKY), prompt=PROMPT, on_event=lambda event: event.kind == "ended" and over.set()
    )
    people.extract_sync(TEXTS[0])
    assert over.wait(30)
    assert any("server" in record.message for record in caplog.records)


def test_statistics_are_of_all_calls():
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    people.extract_sync(TEXTS[0])
    people.gather_sync(TEXTS[1:])
    stats = people.stats
    assert (stats.taken, stats.done, stats.ended, stats.failures, stats.requests) == (7, 7, 7, 0, 7)
    assert stats.total_tokens == stats.input_tokens + stats.output_tokens > 0
    assert (stats.cost, stats.cost_unknown) == (0.0, 0)  # a simulator sends no bill
    assert stats.latency_p50 is not None and stats.latency_p50 <= stats.latency_p99


def test_what_it_costs():
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT, price="in=0.15,out=0.60")
    outcomes = list(people.as_completed(TEXTS))
    for outcome in outcomes:
        expected = outcome.usage.input_tokens * 0.15e-6 + outcome.usage.output_tokens * 0.60e-6
        assert outcome.cost == pytest.approx(expected, abs=1e-15) and outcome.cost_unknown == 0
    assert people.stats.cost == pytest.approx(sum(outcome.cost for outcome in outcomes), abs=1e-12)
    with pytest.raises(rowcall.ConfigError, match="has no `in` or no `out`"):
        rowcall.Extractor(Person, model="sim", prompt=PROMPT, price="in=1")


@pytest.mark.parametrize("hidden", [(), ("tqdm",), ("tqdm", "rich")])
def test_progress_uses_the_installed_library(hidden, capsys, monkeypatch):
    from rowcall import _progress

    find = _progress.find_spec
    monkeypatch.setattr(_progress, "find_spec", lambda name: None if name in hidden else find(name))
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    assert len(people.gather_sync(TEXTS, progress=True)) == 7
    assert "Person" in capsys.readouterr().err
    table = pyarrow.table({"text": TEXTS})
    people.map_table(table, progress=True)
    assert "Person" in capsys.readouterr().err
    asyncio.run(people.map_table_async(table, progress=True))
    assert "Person" in capsys.readouterr().err
    people.map_table(table)
    assert capsys.readouterr().err == ""
