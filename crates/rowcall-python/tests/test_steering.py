"""Calls that are changed while they are under way, and the report of a journal."""

from __future__ import annotations

import threading
import time

import pytest
import rowcall
from pydantic import BaseModel


class Person(BaseModel):
    age: int


def people(**settings):
    return rowcall.Extractor(Person, model="sim", **settings)


def rows(count):
    return [f"Ann is {age}" for age in range(count)]


def until(holds):
    """Waits until a condition holds, for at most 20 seconds."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.01)


def test_a_stream_is_paused_and_resumed():
    events = []
    with people(on_event=events.append) as x:
        outcomes = x.as_completed(rows(200), concurrency=4)
        outcomes.pause()
        reader = threading.Thread(target=lambda: done.extend(outcomes))
        done = []
        reader.start()
        until(lambda: x.stats.paused)
        time.sleep(0.2)
        assert (x.stats.requests, done) == (0, [])
        assert "paused" in outcomes._repr_html_()
        outcomes.adjust(concurrency=8, rpm=None)
        outcomes.resume()
        reader.join()
        assert (len(done), x.stats.paused) == (200, False)
    changes = [event.details["change"] for event in events if event.kind == "adjusted"]
    assert changes == ["paused", "concurrency set to 8", "no limit on requests per minute", "resumed"]


def test_an_extractor_steers_all_its_calls():
    with people(rpm=600) as x:
        ended = []
        threads = [threading.Thread(target=lambda: ended.append(x.gather_sync(rows(500)))) for _ in range(2)]
        for thread in threads:
            thread.start()
        until(lambda: x.stats.requests > 10)
        with pytest.raises(rowcall.ConfigError, match="`rpm` is `fast`"):
            x.adjust(rpm="fast", concurrency=2)
        with pytest.raises(rowcall.ConfigError, match="`speed` is not something that can be changed"):
            x.adjust(speed=9)
        with pytest.raises(rowcall.ConfigError, match="only with a journal"):
            x.retry_failed()
        x.adjust(rpm=None)
        for thread in threads:
            thread.join()
        assert [len(values) for values in ended] == [500, 500]


def test_a_call_is_stopped():
    with people(rpm=600) as x:
        outcomes = x.as_completed(rows(10_000))
        done = [next(outcomes)]
        outcomes.stop()
        done.extend(outcomes)
        assert 0 < len(done) < 1_000
        assert x.stats.in_flight == 0


def test_a_report_is_shown_in_a_notebook(tmp_path):
    (tmp_path / "in.txt").write_text("\n".join(rows(20)))
    rowcall.run(tmp_path / "in.txt", tmp_path / "out.jsonl", Person, model="sim", progress=False)
    report = rowcall.report(tmp_path / "out.jsonl.journal")
    assert "All 20 rows have a value." in report.html
    shown = report._repr_html_()
    assert shown.startswith("<iframe") and "<script" not in shown and shown.count('"') == 8
    assert report.save(tmp_path / "report.html").read_text(encoding="utf-8") == report.html
    with pytest.raises(rowcall.ConfigError, match="there is no journal"):
        rowcall.report(tmp_path / "none")
