"""Files in and out with a journal: what a crash leaves is taken up, and nothing is asked for that is known."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person, Story, texts
from pydantic import BaseModel, field_validator


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def input(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("text\n" + "\n".join(TEXTS) + "\n")
    return path


def test_from_file_to_file(tmp_path, input):
    output = tmp_path / "people.jsonl"
    stats = rowcall.run(input, output, Person, model="sim", prompt=PROMPT, progress=False)
    assert stats.done == 7 and stats.requests == 7
    assert lines(output)[0] == {
        "text": TEXTS[0],
        "name": "John Smith",
        "age": 30,
        "occupation": "software engineer",
        "_error": None,
    }
    # The same call asks nothing again; the command line reads the same journal.
    assert rowcall.run(input, output, Person, model="sim", prompt=PROMPT, progress=False).known == 7
    status = subprocess.run(
        [sys.executable, "-m", "rowcall", "status", "--json", f"{output}.journal"], capture_output=True, text=True, check=True
    )
    assert json.loads(status.stdout)


def test_other_forms(tmp_path, input):
    output = tmp_path / "people.csv.out"
    rowcall.run(
        input, output, Person, model="sim", prompt=PROMPT, output_format="csv", meta=True, journal=False, limit_rows=3, progress=False
    )
    rows = list(csv.DictReader(output.open()))
    assert len(rows) == 3 and rows[0]["name"] == "John Smith" and rows[0]["_meta_attempts"] == "1"
    assert not Path(f"{output}.journal").exists()


def test_an_output_is_the_next_steps_input(tmp_path, input, caplog):
    first, second = tmp_path / "first.csv", tmp_path / "second.jsonl"
    rowcall.run(input, first, Person, model="sim", prompt=PROMPT, meta=True, progress=False)
    first.write_text(first.read_text().replace("software engineer,,", "software engineer,invalid: no value,"))
    label = {"type": "object", "properties": {"label": {"type": "string"}}, "additionalProperties": False}
    for failed_rows, rows, failed in (("error", 7, 1), ("skip", 6, 0), ("ask", 7, 0)):
        caplog.clear()
        rowcall.run(first, second, label, model="sim", prompt="{{ name }}", journal=False, failed_rows=failed_rows, progress=False)
        written = lines(second)
        assert len(written) == rows and sum(line["_error"] is not None for line in written) == failed
        assert "_meta" not in written[0] and "_meta_model" not in written[0]
        assert "an earlier step: its `_error` and `_meta` are dropped" in caplog.text
        assert "1 row of the input failed in an earlier step" in caplog.text


def test_a_table_of_another_kind_is_read_as_its_options_say(tmp_path):
    table, output = tmp_path / "sheet.csv", tmp_path / "out.jsonl"
    table.write_bytes("Report\nname;note\nJos\u00e9;'a;b'\n".encode("cp1252"))
    label = {"type": "object", "properties": {"label": {"type": "string"}}}
    asked = {"model": "sim", "prompt": "{{ name }}", "journal": False, "progress": False}
    rowcall.run(table, output, label, encoding="cp1252", delimiter=";", quote="'", skip_rows=1, **asked)
    assert lines(output)[0]["name"] == "Jos\u00e9" and lines(output)[0]["note"] == "a;b"
    with pytest.raises(rowcall.ConfigError, match="`encoding`: unknown encoding `klingon`"):
        rowcall.run(table, output, label, encoding="klingon", **asked)


def test_values_are_as_the_model_makes_them(tmp_path, input):
    class Upper(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def upper(cls, name: str) -> str:
            return name.upper()

    output = tmp_path / "people.jsonl"
    for _ in range(2):  # The second time from the journal.
        rowcall.run(input, output, Upper, model="sim", prompt=PROMPT, progress=False)
        assert lines(output)[0]["name"] == "JOHN SMITH"


def test_a_run_that_cannot_start(tmp_path, input):
    output = tmp_path / "people.jsonl"
    output.write_text("precious\n")
    with pytest.raises(rowcall.ConfigError, match="its journal .* does not") as caught:
        rowcall.run(input, output, Person, model="sim", prompt=PROMPT, progress=False)
    assert "force=True" in caught.value.hint
    with pytest.raises(rowcall.ConfigError, match="cannot open"):
        rowcall.run(tmp_path / "none.csv", output, Person, model="sim", force=True, progress=False)
    rowcall.run(input, output, Person, model="sim", prompt=PROMPT, force=True, progress=False)
    with pytest.raises(rowcall.ConfigError, match="prompt"):
        rowcall.run(input, output, Person, model="sim", prompt="Again: {{ text }}", progress=False)
    stats = rowcall.run(input, output, Person, model="sim", prompt="Again: {{ text }}", accept_changes=True, progress=False)
    assert stats.known == 0
    for given in ({"journals": False}, {"concurency": 2}):
        with pytest.raises(TypeError, match=f"`{min(given)}` is no"):
            rowcall.run(input, output, Person, model="sim", prompt=PROMPT, progress=False, **given)


def test_failed_rows_are_in_the_output(tmp_path, input, story: Story):
    model = story('[[faults]]\nrate = 1.0\ncontains = "Mike Davis"\nkind = "refusal"\n')
    output, failed = tmp_path / "people.jsonl", tmp_path / "failed.jsonl"
    stats = rowcall.run(input, output, Person, model=model, prompt=PROMPT, failed=failed, progress=False)
    assert stats.failed == {"refusal": 1}
    assert lines(output)[2]["_error"]["kind"] == "refusal" and len(lines(failed)) == 1


def test_an_extractors_journal_outlives_calls_and_processes(tmp_path):
    path = tmp_path / "people.journal"
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT, journal=path)
    first = people.gather_sync(TEXTS)
    assert [done.value for done in people.ordered(iter(TEXTS))] == first
    assert people.extract_sync(TEXTS[0]) == first[0]
    assert people.stats.requests == 7
    with pytest.raises(rowcall.ConfigError):
        rowcall.Extractor(Person, model="sim", prompt=PROMPT, journal=path)
    del people
    again = rowcall.Extractor(Person, model="sim", prompt=PROMPT, journal=path)
    assert again.gather_sync(TEXTS) == first
    assert again.stats.known == 7


def test_recorded_values_are_validated_by_the_current_model(tmp_path):
    path = tmp_path / "people.journal"

    class Name(BaseModel):
        name: str

    def extractor(response):
        return rowcall.Extractor(response, model="sim", prompt=PROMPT, journal=path)

    extractor(Name).gather_sync(TEXTS)
    class Stricter(Name):
        @field_validator("name")
        @classmethod
        def short(cls, name: str) -> str:
            assert len(name) < 10, "too long"
            return name

    Stricter.__name__ = Name.__name__
    Stricter.model_config["title"] = "Name"
    Stricter.model_rebuild(force=True)
    too_long = [len(" ".join(text.split()[:2])) >= 10 for text in TEXTS]
    stricter = extractor(Stricter)
    values = stricter.gather_sync(TEXTS, return_exceptions=True)
    assert [isinstance(value, rowcall.InvalidError) for value in values] == too_long
    # A value that is no longer valid is asked again. The first time, the known value is sent back as a wrong answer.
    assert stricter.stats.requests == len(set(TEXTS)) + 3 * len({text for text, long in zip(TEXTS, too_long) if long})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"order": "Input"}, "order `Input`"),
        ({"limit_rows": -1}, "invalid option `limit_rows`"),
        ({"limit_rows": object()}, "option `limit_rows` cannot be represented in JSON"),
        ({"into": 5}, "invalid option `into`"),
        ({"journal": False, "fresh": True}, "`fresh`.*`journal=False`"),
        ({"journal": False, "accept_changes": True}, "`accept_changes`.*`journal=False`"),
        ({"concurrency": 0}, "concurrency `0`"),
    ],
    ids=str,
)
def test_invalid_options_are_reported(tmp_path, input, options, expected):
    with pytest.raises(rowcall.ConfigError, match=expected):
        rowcall.run(input, tmp_path / "people.jsonl", Person, model="sim", prompt=PROMPT, progress=False, **options)


def test_a_journal_is_kept_if_none_is_named(tmp_path, input):
    # Names may be bytes as well.
    rowcall.run(os.fsencode(input), os.fsencode(tmp_path / "people.jsonl"), Person, model="sim", prompt=PROMPT, journal=None, progress=False)
    assert (tmp_path / "people.jsonl.journal").exists()


def test_an_extractors_own_journal_rules_out_the_options_of_a_run(tmp_path, input):
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT, journal=tmp_path / "own.journal")
    output = tmp_path / "people.jsonl"
    for options in ({"journal": "other.journal"}, {"journal": False}, {"fresh": True}, {"accept_changes": True}):
        (name,) = options
        with pytest.raises(rowcall.ConfigError, match=f"`{name}` .*its own journal"):
            people.run(input, output, progress=False, **options)
    assert people.run(input, output, progress=False, journal=None, fresh=False).done == 7


def test_hints_fit_an_extractors_own_journal(tmp_path):
    path = tmp_path / "people.journal"
    rowcall.Extractor(Person, model="sim", prompt=PROMPT, journal=path).gather_sync(TEXTS)
    with pytest.raises(rowcall.ConfigError, match="another prompt") as caught:
        rowcall.Extractor(Person, model="sim", prompt=PROMPT + "!", journal=path)
    assert caught.value.hint == "use `accept_changes=True` to continue and ask only what is new, or start over with a new file"


def test_an_exception_in_a_validator_keeps_finished_rows(tmp_path):
    input, output = tmp_path / "people.txt", tmp_path / "people.jsonl"
    input.write_text("\n".join(texts(40)) + "\n")
    count = 0

    class Torn(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def tear(cls, name: str) -> str:
            nonlocal count
            count += 1
            if count == 20:
                raise ZeroDivisionError("torn")
            return name

    people = rowcall.Extractor(Torn, model="sim", prompt=PROMPT)
    with pytest.raises(ZeroDivisionError):
        people.run(input, output, progress=False, order="completed", concurrency=2)
    part, done = Path(f"{output}.part"), people.stats.done
    assert len(lines(part)) == done >= 19 and not output.exists()
    # The journal has been released, so the same call continues.
    assert people.run(input, output, progress=False).known == done
    assert len(lines(output)) == 40


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers here")
def test_any_other_exception_of_a_signals_handler_cancels_a_run(tmp_path, input, story: Story):
    people = rowcall.Extractor(Person, model=story('[held]\ncontains = "person"\nuntil_answered = 1000\n'), prompt=PROMPT)

    class Alarm(Exception):
        pass

    def ring(*_):
        if people.stats.in_flight:
            raise Alarm
        signal.setitimer(signal.ITIMER_REAL, 0.01)

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        with pytest.raises(Alarm) as caught:
            people.run(input, tmp_path / "people.jsonl", progress=False)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    for _ in range(3000):
        if not people._core.simulator_stats()["in_flight"]["now"]:
            break
        threading.Event().wait(0.01)
    else:
        pytest.fail("the requests are still in flight")
    # The exception holds the call, so nothing else can have cancelled it.
    assert caught.value.__traceback__ is not None


RUN = """
import sys, rowcall
from pydantic import BaseModel

class Person(BaseModel):
    name: str
    age: int
    occupation: str

def observe(event):
    # Once, when there are outcomes.
    if event.kind == "ended" and not seen:
        seen.append(event)
        print("under way", flush=True)

seen = []
input, output, url = sys.argv[1:]
rowcall.run(
    input, output, Person, model="sim", base_url=url, prompt="Extract person info: {{ text }}", progress=False, on_event=observe
)
"""


def test_killed_at_any_instant_and_resumed(tmp_path, server):
    rows, concurrency_at_most = 6000, 1024
    input, output = tmp_path / "rows.txt", tmp_path / "rows.jsonl"
    input.write_text("\n".join(texts(rows)) + "\n")
    command = [sys.executable, "-c", RUN, str(input), str(output), server]
    chance = random.Random(7)

    def requests():
        with urllib.request.urlopen(server.removesuffix("/v1") + "/stats") as response:
            return json.load(response)["requests"]["all"]

    killed = 0
    for _ in range(6):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        # Instants are counted in requests, so that they are among them however fast the machine is.
        instant = requests() + chance.randrange(20, 500)
        while process.poll() is None and requests() < instant:
            time.sleep(0.002)
        process.kill()
        if process.wait() == 0:
            break
        killed += 1
    subprocess.run(command, check=True)
    written = lines(output)
    assert [line["text"] for line in written] == texts(rows)
    assert all(line["_error"] is None and line["age"] == 20 + number % 60 for number, line in enumerate(written))
    with urllib.request.urlopen(server.removesuffix("/v1") + "/stats") as response:
        stats = json.load(response)
    asked = stats["requests"]["all"]
    assert killed > 0 and rows <= asked <= rows + killed * concurrency_at_most, (killed, asked)
    status = subprocess.run(
        [sys.executable, "-m", "rowcall", "status", "--json", f"{output}.journal"], capture_output=True, text=True, check=True
    )
    # Everything that was asked twice is reported.
    report = json.loads(status.stdout)
    possibly_paid = next(report[key] for key in report if "paid" in key)
    assert asked - rows <= possibly_paid, (asked, report)


def test_ctrl_c_waits_for_requests_in_flight_and_the_same_call_continues(tmp_path, server):
    rows = 4000
    input, output = tmp_path / "rows.txt", tmp_path / "rows.jsonl"
    input.write_text("\n".join(texts(rows)) + "\n")
    command = [sys.executable, "-c", RUN, str(input), str(output), server]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "under way\n"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in stderr and not output.exists() and Path(f"{output}.part").exists()
    subprocess.run(command, check=True)
    assert len(lines(output)) == rows


@pytest.mark.parametrize(("source", "output", "expected"), [("in.parquet", "out.jsonl", "input `in.parquet`"), ("in.csv", "out.PARQUET", "output `out.PARQUET`")])
def test_parquet_is_a_table(source: str, output: str, expected: str):
    with pytest.raises(rowcall.ConfigError, match=expected) as caught:
        rowcall.run(source, output, Person, model="sim", prompt=PROMPT)
    assert "map_table" in caught.value.hint
