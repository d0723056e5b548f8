"""docs/from-instructor.md, run: each snippet on the left unchanged with Instructor, the one next to it with rowcall, against a server of
ours, with the same values on both sides."""

import ast
import asyncio
import inspect
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import instructor
import pytest
from conftest import Person
from pydantic import BaseModel
from stub_openai import Server, served

DOCUMENT = Path(__file__).parents[3] / "docs" / "from-instructor.md"

GIVEN = {
    "Person": Person,
    "dataset": ["Ann 30 nurse", "Bob 40 cook", "Cid 50 pilot"],
    "text": "Ann 30 nurse",
    "unclear": "Unclear 60 smith",
    "nonsense": "Nonsense 1 x",
}

COMPARED = {"person", "persons", "facts", "quotes", "requests", "invalid", "answered_by", "tokens"}
"""Names that a snippet may come to a value by."""


class Pair(NamedTuple):
    """Two snippets next to each other."""

    section: str
    left: str
    right: str


def pairs() -> list[Pair]:
    """All that the document has."""
    code = r"```python\n((?:(?!```).)*)```"
    found = []
    for section in re.split(r"^## ", DOCUMENT.read_text(), flags=re.MULTILINE)[1:]:
        beside = re.findall(rf"<tr><td>\n\n{code}\n\n</td><td>\n\n{code}\n\n</td></tr>", section, re.DOTALL)
        found += [Pair(section.splitlines()[0], *each) for each in beside]
    return found


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    with served() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.chdir(tmp_path)
        yield server


async def carry_out(code: str, names: dict[str, Any]) -> None:
    """Runs a snippet, which may await at its top level."""
    compiled = compile(code, str(DOCUMENT), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    found = eval(compiled, names)
    if inspect.isawaitable(found):
        await found


def plain(found: Any) -> Any:
    """A value without the class that Instructor makes of the model; what came as it was completed, in an order."""
    if isinstance(found, list):
        return sorted((plain(each) for each in found), key=repr)
    return found.model_dump() if isinstance(found, BaseModel) else found


async def both(pairs: list[Pair]) -> list[tuple[Pair, dict[str, Any], dict[str, Any]]]:
    left, right = dict(GIVEN), dict(GIVEN)
    came_to = []
    for pair in pairs:
        for names, code in ((left, pair.left), (right, pair.right)):
            for name in COMPARED & set(names):
                del names[name]
            names.update(GIVEN)
            await carry_out(code, names)
            # Classes are the same on both sides.
            classes = {name: found for name, found in left.items() if isinstance(found, type)}
            right.update({name: found for name, found in classes.items() if name not in right})
        values = [{name: names[name] for name in COMPARED & set(names)} for names in (left, right)]
        came_to.append((pair, values[0], values[1]))
    return came_to


def test_both_snippets_of_each_pair_run_and_agree(server: Server):
    found = pairs()
    assert instructor.__version__.startswith("1.17") and len(found) >= 14
    for pair, left, right in asyncio.run(both(found)):
        # The snippet on the left has its own loop variables.
        assert right and set(right) <= set(left), pair
        until = time.monotonic() + 30
        while len(right.get("invalid", [])) < len(left.get("invalid", [])) and time.monotonic() < until:
            # Events come from a separate thread.
            time.sleep(0.001)
        for name in right:
            assert plain(left[name]) == plain(right[name]), (pair.section, name)


async def after_setting_up(server: Server, section: str, side: str) -> tuple[dict[str, Any], int]:
    """What the snippet of a section comes to on one side, and how many requests it took."""
    setting_up, *others = pairs()
    (pair,) = (pair for pair in others if pair.section == section)
    names = dict(GIVEN)
    await carry_out(getattr(setting_up, side), names)
    before = server.requests
    await carry_out(getattr(pair, side), names)
    return names, server.requests - before


@pytest.mark.parametrize("side", ["left", "right"])
def test_three_retries_are_four_requests_on_both_sides(server: Server, side: str):
    names, requests = asyncio.run(after_setting_up(server, "Retries", side))
    assert (names["requests"], requests) == (4, 4)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_cache_asks_each_text_once_on_both_sides(server: Server, side: str):
    names, requests = asyncio.run(after_setting_up(server, "A cache", side))
    assert requests == 3 and len(names["persons"]) == 6


def test_the_completion_is_the_one_that_was_sent_on_both_sides(server: Server):
    sent = [asyncio.run(after_setting_up(server, "The completion", side))[0]["completion"] for side in ("left", "right")]
    theirs, ours = sent[0].to_dict(), sent[1]
    for key in ("id", "object", "created", "model"):
        assert theirs[key] == ours[key]
    # Instructor adds details to the usage; ours is as the server sent it.
    assert ours["usage"] == {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    # Instructor uses a tool where rowcall uses the schema.
    called = theirs["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert called == ours["choices"][0]["message"]["content"]
