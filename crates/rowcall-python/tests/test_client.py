"""One account for several extractors: limits hold for all of them together."""

import os

import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person
from pydantic import BaseModel


class Name(BaseModel):
    name: str


def test_extractors_of_a_client_share_its_account():
    with rowcall.Client("sim", concurrency=1) as client:
        people, names = client.extractor(Person, prompt=PROMPT), client.extractor(Name, prompt=PROMPT, temperature=0.5)
        assert people.extract_sync(TEXTS[0]).age == 30 and names.extract_sync(TEXTS[1]).name == "Sarah Johnson"
        # The same simulator has seen both.
        assert people._core.simulator_stats() == names._core.simulator_stats()
        assert (people.stats.requests, names.stats.requests) == (1, 1)
        outcomes = [people.as_completed(TEXTS), names.as_completed(TEXTS)]
        assert all(len(list(found)) == 7 for found in outcomes)
        seen = people._core.simulator_stats()
        assert seen["in_flight"]["max"] == 1
    assert repr(client) == "<rowcall.Client of sim>"


def test_a_closed_client_serves_the_extractors_that_it_has():
    client = rowcall.Client("sim")
    people = client.extractor(Person, prompt=PROMPT)
    client.close()
    assert people.extract_sync(TEXTS[0]).age == 30
    with pytest.raises(rowcall.ClosedError, match="the client is closed"):
        client.extractor(Person, prompt=PROMPT)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_an_account_of_its_own():
    client = rowcall.Client("sim")
    people = client.extractor(Person, prompt=PROMPT)
    people.extract_sync(TEXTS[0])
    child = os.fork()
    if child == 0:
        os._exit(0 if people.extract_sync(TEXTS[1]).age == 25 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_client_shows_no_secret():
    client = rowcall.Client("openai/x", api_key="sk-very-secret", headers={"x-key": "also-secret"})
    assert "secret" not in repr(client) + repr(vars(client)).replace("Secret('*", "")
    with pytest.raises(rowcall.ConfigError) as caught:
        rowcall.Client("openai/x", api_key="sk-very-secret", rpm="fast")  # type: ignore[arg-type]
    assert "very-secret" not in str(caught.value)
