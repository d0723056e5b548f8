"""What a server makes of a schema is found out when an extractor is made."""

import warnings
from pathlib import Path

import pydantic
import pytest
import rowcall
from conftest import Story

ENGINE = '[engine]\nrefuses = ["pattern"]\n'


class Plate(pydantic.BaseModel):
    code: str = pydantic.Field(pattern="^[a-z ]+$")


def plates(model: str, **settings: object) -> rowcall.Extractor[Plate]:
    return rowcall.Extractor(Plate, model=model, prompt="{{ text }}", max_reasks=0, **settings)


def test_the_server_is_asked_once_and_the_journal_remembers(story: Story, tmp_path: Path):
    model, journal = story(ENGINE), tmp_path / "plates.journal"
    with plates(model, dialect="auto", journal=journal) as first, warnings.catch_warnings():
        warnings.simplefilter("error")
        asked = first._core.simulator_stats()["requests"]
        assert asked["invalid"] == 1, "the question about `pattern`"
        list(first.gather_sync(["Ann"], return_exceptions=True))
        assert first._core.simulator_stats()["requests"]["invalid"] == 1
    with plates(model, dialect="auto", journal=journal) as second:
        assert second._core.simulator_stats()["requests"]["all"] == 0


def test_a_server_that_enforces_no_schema_causes_a_warning(story: Story):
    with plates(story('[engine]\nignores = ["json_schema"]\n'), dialect="auto") as extractor:
        with pytest.warns(rowcall.RowcallWarning, match="does not seem to enforce a schema"):
            extractor.gather_sync(["Ann"], return_exceptions=True)


def test_a_dialect_that_is_unknown_is_refused_with_the_known_ones():
    with pytest.raises(rowcall.ConfigError, match=r"unknown dialect `nobodys` \(known: openai, .*`auto`, or a `.json` file"):
        plates("sim", dialect="nobodys")
    with pytest.raises(rowcall.ConfigError, match="the dialect file `nowhere.json` cannot be read"):
        plates("sim", dialect="nowhere.json")
