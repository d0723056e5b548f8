"""Failed rows are asked again, and validators have the last word: also over what a journal knows, and on the command line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rowcall
from pydantic import BaseModel, computed_field, field_validator

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


def test_known_failures_are_asked_again_on_request(answers, tmp_path):
    path = tmp_path / "names.journal"
    assert asked(answers, path) == (["Ann", "invalid"], 2, 0)
    assert asked(answers, path) == (["Ann", "invalid"], 2, 2)
    # The known answer counts as the first: it is sent back with its errors.
    assert asked(answers, path, retry_failed=True, max_reasks=1) == (["Ann", "invalid"], 3, 1)


def test_an_answer_that_is_valid_by_now_is_accepted_and_recorded(answers, tmp_path, monkeypatch):
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


def test_the_command_line_does_not_bypass_validators(answers, tmp_path):
    (tmp_path / "in.txt").write_text("\n".join("@@" + row for row in ROWS))
    names = answers(Name, prompt="{{ text }}")
    names.run(tmp_path / "in.txt", tmp_path / "out.jsonl", progress=False)
    errors = [json.loads(line)["_error"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert errors[0] is None and errors[1]["kind"] == "invalid"
    journal = str(tmp_path / "out.jsonl.journal")
    for words in (["rerun", journal], ["export", journal]):
        done = command(*words)
        assert done.returncode == 2 and "validated by `Name` (" in done.stderr and "retry_failed=True" in done.stderr, done.stderr
    status = json.loads(command("status", journal, "--json").stdout)
    assert status["validated_by"] == "Name" and len(status["validated_by_hash"]) == 64
    assert "values    validated by `Name` (" in command("status", journal).stdout
    done = command("export", journal, "--without-validators")
    assert done.returncode == 3 and "warning: `Name` (" in done.stderr and "`_unvalidated`" in done.stderr
    marks = [json.loads(line)["_unvalidated"] for line in done.stdout.splitlines()]
    assert marks == [True, None]
    table = command("export", journal, "--without-validators", "--output-format", "csv").stdout.splitlines()
    assert [line.rpartition(",")[2] for line in table] == ["_unvalidated", "true", ""]
    # The next step recognises the mark.
    (tmp_path / "marked.jsonl").write_text(done.stdout)
    rowcall.run(tmp_path / "marked.jsonl", tmp_path / "next.jsonl", int, model="sim", prompt="{{ text }}", failed_rows="ask", progress=False, into="next")
    assert all("_unvalidated" not in json.loads(line) for line in (tmp_path / "next.jsonl").read_text().splitlines())


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


class Shouted(Name):
    @computed_field
    @property
    def loud(self) -> str:
        return self.name.upper()


@pytest.mark.parametrize("named", ["output", "journal", "last"])
def test_failed_rows_of_a_run_are_asked_again_by_its_journal(answers, tmp_path, monkeypatch, named: str):
    path, out = tmp_path / "in.txt", tmp_path / "out.jsonl"
    path.write_text("\n".join("@@" + row for row in ROWS))
    names = answers(Shouted, prompt="{{ text }}")
    names.run(path, out, progress=False)
    # What the same extractor spent is not counted again from the journal.
    assert names.stats.requests == names.run(path, out, progress=False).requests == 2
    path.unlink()

    def rerun() -> list[Any]:
        if named == "last":
            names.rerun(progress=False)
        else:
            with answers(Shouted, prompt="{{ text }}") as others:
                others.rerun(*[out] if named == "output" else [], journal=None if named == "output" else f"{out}.journal", progress=False)
        return [(row.get("loud"), row["_error"] and row["_error"]["kind"]) for row in map(json.loads, out.read_text().splitlines())]

    # The known answer is rejected as before, and nothing is left of the re-asks.
    assert rerun() == [("ANN", None), (None, "invalid")]
    monkeypatch.setattr(sys.modules[__name__], "STRICT", False)
    before = names.stats.requests
    assert rerun() == [("ANN", None), ("BARBARA", None)]
    # It is valid by now, and accepted without asking.
    assert names.stats.requests == before
    monkeypatch.setattr(sys.modules[__name__], "STRICT", True)
    assert rerun() == [("ANN", None), (None, "invalid")]


def test_a_copied_journal_overwrites_another_file_only_with_force(answers, tmp_path):
    (tmp_path / "in.txt").write_text("\n".join("@@" + row for row in ROWS))
    with answers(Name, prompt="{{ text }}") as names:
        names.run(tmp_path / "in.txt", tmp_path / "out.jsonl", progress=False)
    out = tmp_path / "out.jsonl"
    written = out.read_text()
    (tmp_path / "out.jsonl.journal").rename(tmp_path / "copy.journal")
    (tmp_path / "copy.jsonl").write_text("something else\n")
    with answers(Name, prompt="{{ text }}") as names:
        with pytest.raises(rowcall.ConfigError) as caught:
            names.rerun(journal=tmp_path / "copy.journal", progress=False)
        assert "force=True" in caught.value.hint
        assert (tmp_path / "copy.jsonl").read_text() == "something else\n"
        names.rerun(journal=tmp_path / "copy.journal", force=True, progress=False)
    assert written in (out.read_text(), (tmp_path / "copy.jsonl").read_text())


def test_runs_that_cannot_be_rerun_are_reported(answers, tmp_path):
    names = answers(Name, prompt="{{ text }}")
    with pytest.raises(rowcall.ConfigError, match="has not run from file to file") as caught:
        names.rerun()
    assert "extractor.failures()" in caught.value.hint
    (tmp_path / "in.txt").write_text("\n".join("@@" + row for row in ROWS))
    names.run(tmp_path / "in.txt", tmp_path / "out.jsonl", journal=False, progress=False)
    with pytest.raises(rowcall.ConfigError, match="`journal=False`"):
        names.rerun()
    with answers(Name, journal=tmp_path / "own.journal") as own:
        own.gather_sync(ROWS, return_exceptions=True)
        with pytest.raises(rowcall.ConfigError, match="its own journal"):
            own.rerun(tmp_path / "out.jsonl")
    with pytest.raises(rowcall.ConfigError, match="was not made by a run|has no records|is not finished"):
        names.rerun(journal=tmp_path / "own.journal")


def test_a_model_is_distinguished_from_others_of_its_name():
    from rowcall import _model

    class Plain(BaseModel):
        name: str

    class Checked(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def is_there(cls, name: str) -> str:
            return name

    prints = {_model.model(each).fingerprint() for each in (Plain, Checked, Plain)}
    assert len(prints) == 2 and None not in prints
    assert _model.model({"type": "object"}).fingerprint() is None
