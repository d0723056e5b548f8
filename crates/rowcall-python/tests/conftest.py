"""What the tests share: models of people, stories for the simulator, and a simulator in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

PROMPT = "Extract person info: {{ text }}"

TEXTS = [
    "John Smith is a 30-year-old software engineer",
    "Sarah Johnson is a 25-year-old data scientist",
    "Mike Davis is a 35-year-old product manager",
    "Lisa Wilson is a 28-year-old UX designer",
    "Tom Brown is a 32-year-old DevOps engineer",
    "Emma Garcia is a 27-year-old frontend developer",
    "David Lee is a 33-year-old backend developer",
]

NAMES = [" ".join(text.split()[:2]) for text in TEXTS]


class Person(BaseModel):
    name: str
    age: int
    occupation: str


def texts(count: int) -> list[str]:
    """So many different sentences."""
    return [f"Ann Lee is a {20 + number % 60}-year-old nurse, number {number}" for number in range(count)]


Story = Callable[..., str]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """Makes a story for the simulator from TOML; returns the model's name that plays it."""
    count = 0

    def make(toml: str) -> str:
        nonlocal count
        count += 1
        path = tmp_path / f"story-{count}.toml"
        path.write_text('about = "a test"\n' + toml)
        return f"sim/{path}"

    return make


@pytest.fixture
def server() -> Iterator[str]:
    """The base URL of a simulator in a process of its own, which answers after 2 ms and counts repeats."""
    command = [sys.executable, "-m", "rowcall", "sim", "--latency", "2ms", "--count"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    while line and "http" not in line:
        line = process.stdout.readline()
    url = line[line.index("http") :].split()[0]
    yield url
    process.kill()
    process.wait()
