"""Nothing is dropped silently: what is not as it was asked for is warned of once and counted, and nothing else is printed."""

import asyncio
import subprocess
import sys
import threading
import warnings

import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person, Story

# A server that takes no temperature, as reasoning models do.
STRICT = 'refuses = ["temperature"]\n'


@pytest.mark.parametrize("way", ["extract", "gather", "as_completed", "map_table", "run"])
def test_a_rejected_parameter_is_warned_about_once_and_noted_in_the_statistics(story: Story, way: str, tmp_path):
    people = rowcall.Extractor(Person, model=story(STRICT), prompt=PROMPT, temperature=0.0)
    with pytest.warns(rowcall.RowcallWarning, match="temperature") as caught:
        if way == "extract":
            people.extract_sync(TEXTS[0])
        elif way == "gather":
            asyncio.run(people.gather(TEXTS))
        elif way == "as_completed":
            list(people.as_completed(TEXTS))
        elif way == "map_table":
            import pyarrow

            people.map_table(pyarrow.table({"text": TEXTS}))
        else:
            (tmp_path / "in.txt").write_text("\n".join(TEXTS))
            people.run(tmp_path / "in.txt", tmp_path / "out.jsonl", progress=False)
    assert len(caught) == 1 and caught[0].filename == __file__
    (note,) = people.stats.notes
    assert "temperature" in note and note == str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        people.extract_sync("Ann Lee is a 40-year-old nurse")


def test_equal_rows_share_an_answer_with_a_warning_if_answers_are_to_differ():
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT, temperature=1.0)
    with pytest.warns(rowcall.RowcallWarning, match="`dedup=False`"):
        values = people.gather_sync(TEXTS[:1] * 5)
    assert len(values) == 5
    assert (people.stats.duplicates, people.stats.known, people.stats.requests) == (4, 4, 1)


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.0}, {"temperature": 1.0, "dedup": False}])
def test_equal_rows_cause_no_warning_otherwise(settings):
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        people.gather_sync(TEXTS[:1] * 5)
    assert people.stats.duplicates == (0 if "dedup" in settings else 4)


def test_a_journal_counts_duplicates_as_well(tmp_path):
    for known, duplicates in ((4, 4), (5, 4)):
        with rowcall.Extractor(Person, model="sim", prompt=PROMPT, journal=tmp_path / "journal") as people:
            people.gather_sync(TEXTS[:1] * 5)
            assert (people.stats.known, people.stats.duplicates) == (known, duplicates)


def test_on_event_prints_nothing_by_itself(tmp_path):
    program = f"""
import logging, threading
import rowcall
from conftest import TEXTS
over = threading.Event()
people = rowcall.Extractor(int, model="sim", prompt="{{{{ nome }}}}", on_event=lambda event: event.kind == "ended" and over.set())
people.gather_sync(TEXTS[:1], return_exceptions=True)
assert over.wait(30)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=__file__.rpartition("/")[0])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_log_has_the_reason_of_a_failed_row(caplog):
    import logging

    caplog.set_level(logging.INFO, "rowcall")
    over = threading.Event()
    people = rowcall.Extractor(
        Person, model="sim", prompt="{{ nome }}", on_event=lambda event: event.kind == "ended" and over.set()
    )
    people.gather_sync(TEXTS[:1], return_exceptions=True)
    assert over.wait(30)
    assert any("row 0 failed: template: " in record.message and "`nome`" in record.message for record in caplog.records)
