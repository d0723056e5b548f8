"""Shared by the tests: models of people, stories for the simulator, and a simulator in a separate process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import rowcall
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
    """`count` different sentences."""
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
    """The base URL of a simulator in a separate process, which answers after 2 ms and counts repeats."""
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


@pytest.fixture
def answers() -> Iterator[Callable[..., Any]]:
    """Makes extractors whose model answers each row with the row's own text, from a server of ours."""

    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            text = next(message["content"] for message in asked["messages"] if "@@" in message["content"])
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text.partition("@@")[2]}}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            body = json.dumps({"id": "1", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True).start()

        def make(response: Any, **settings: Any) -> Any:
            url = f"http://127.0.0.1:{server.server_port}/v1"
            given = {"prompt": "@@{{ text }}", "mode": "json", "max_reasks": 0, "api_key": "k", **settings}
            return rowcall.Extractor(response, model="openai/x", base_url=url, **given)

        yield make
        server.shutdown()
