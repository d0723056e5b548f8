"""Failed rows are asked again, and validators have the last word: also over what a journal knows, and on the command line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rowcall
from pydantic import BaseModel, field_validator

STRICT = True


class Name(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def is_short(cls, name: str) -> str:
        if STRICT and len(name) > 3:
            raise ValueError("too long")
        return name


ROWS = ['{"name": "Ann"}', '{"name": "Barbara"}']


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "STRICT", True)


def asked(answers: Any, path: Path, **settings: Any) -> tuple[list[Any], int, int]:
    """The values, or kinds of failures, the requests of all runs, and the rows that were known."""
    with answers(Name, journal=path, **settings) as names:
        values = names.gather_sync(ROWS, return_exceptions=True)
        found = [value.name if isinstance(value, Name) else value.kind for value in values]
        return found, names.stats.requests, names.stats.known


def test_known_failures_are_asked_again_if_that_is_wanted(answers, tmp_path):
    path = tmp_path / "names.journal"
    assert asked(answers, path) == (["Ann", "invalid"], 2, 0)
    assert asked(answers, path) == (["Ann", "invalid"], 2, 2)
    # The answer that is known counts as the first: it is sent back with what is wrong.
    assert asked(answers, path, retry_failed=True, max_reasks=1) == (["Ann", "invalid"], 3, 1)


def test_an_answer_that_is_valid_by_now_is_taken_and_kept(answers, tmp_path, monkeypatch):
    path = tmp_path / "names.journal"
    asked(answers, path)
    monkeypatch.setattr(sys.modules[__name__], "STRICT", False)
    assert asked(answers, path, retry_failed=True)[:2] == (["Ann", "Barbara"], 2)
    # It is in the journal from now on.
    assert asked(answers, path) == (["Ann", "Barbara"], 2, 2)


def test_a_known_value_that_is_rejected_by_now_is_asked_again_and_is_not_stuck(answers, tmp_path, monkeypatch):
    path = tmp_path / "names.journal"
    monkeypatch.setattr(sys.modules[__name__], "STRICT", False)
    assert asked(answers, path)[0] == ["Ann", "Barbara"]
    monkeypatch.setattr(sys.modules[__name__], "STRICT", True)
    assert asked(answers, path, max_reasks=1)[0] == ["Ann", "invalid"]
    monkeypatch.setattr(sys.modules[__name__], "STRICT", False)
    assert asked(answers, path, retry_failed=True)[0] == ["Ann", "Barbara"]


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "rowcall", *words], capture_output=True, text=True)


def test_the_command_line_does_not_pass_over_validators(answers, tmp_path):
    (tmp_path / "in.txt").write_text("\n".join("@@" + row for row in ROWS))
    names = answers(Name, prompt="{{ text }}")
    names.run(tmp_path / "in.txt", tmp_path / "out.jsonl", progress=False)
    errors = [json.loads(line)["_error"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert errors[0] is None and errors[1]["kind"] == "invalid"
    journal = str(tmp_path / "out.jsonl.journal")
    for words in (["rerun", journal], ["export", journal]):
        done = command(*words)
        assert done.returncode == 2 and "validated by `Name`" in done.stderr and "retry_failed=True" in done.stderr, done.stderr
    done = command("export", journal, "--without-validators")
    assert done.returncode == 3 and "warning: `Name`" in done.stderr and len(done.stdout.splitlines()) == 2


def test_a_run_over_files_asks_failed_rows_again(answers, tmp_path, monkeypatch):
    (tmp_path / "in.txt").write_text("\n".join("@@" + row for row in ROWS))

    def run(**settings: Any) -> list[Any]:
        with answers(Name, prompt="{{ text }}", **settings) as names:
            names.run(tmp_path / "in.txt", tmp_path / "out.jsonl", progress=False)
        return [json.loads(line).get("name") for line in (tmp_path / "out.jsonl").read_text().splitlines()]

    assert run() == ["Ann", None]
    monkeypatch.setattr(sys.modules[__name__], "STRICT", False)
    assert run() == ["Ann", None]
    assert run(retry_failed=True) == ["Ann", "Barbara"]
