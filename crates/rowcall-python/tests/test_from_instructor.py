"""The left side of docs/from-instructor.md beside the right side: Instructor against a server of ours, and the same values here."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import instructor
import pytest
import rowcall
from conftest import Person
from openai import AsyncOpenAI
from pydantic import BaseModel, ValidationInfo, field_validator

PEOPLE = ["Ann 30 nurse", "Bob 40 cook", "Cid 50 pilot"]


class Fact(BaseModel):
    quote: str

    @field_validator("quote")
    @classmethod
    def is_in_the_text(cls, quote: str, info: ValidationInfo) -> str:
        assert info.context is not None
        if quote not in info.context["text"]:
            raise ValueError("the quote is not in the text")
        return quote


class Server(ThreadingHTTPServer):
    """Answers with the words of the last line; the first answers about `Wrong` are invalid."""

    daemon_threads = True
    requests = 0


def answer(text: str) -> dict[str, Any]:
    if text.startswith("quote"):
        return {"quote": text.split()[1]}
    name, age, occupation = text.split()[:3]
    return {"name": name, "age": "old" if name == "Wrong" else int(age), "occupation": occupation}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.server.requests += 1  # type: ignore[attr-defined]
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        texts = [message["content"] for message in asked["messages"] if message["role"] == "user" and message["content"]]
        text = next(text for text in texts if "Extract: " in text).partition("Extract: ")[2]
        found = json.dumps(answer(text))
        message: dict[str, Any] = {"role": "assistant", "content": found}
        if asked.get("tools"):
            called = {"name": asked["tools"][0]["function"]["name"], "arguments": found}
            message = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": called}]}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
        told = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True).start()
        yield server
        server.shutdown()


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/v1"


def theirs(server: Server) -> Any:
    return instructor.from_openai(AsyncOpenAI(base_url=url(server), api_key="k"))


def ours(server: Server, response: Any, **settings: Any) -> Any:
    return rowcall.Extractor(response, model="openai/m", base_url=url(server), api_key="k", prompt="Extract: {{ text }}", **settings)


def plain(found: Any) -> Any:
    """Values without the class that Instructor makes of the model."""
    return [plain(each) for each in found] if isinstance(found, list) else found.model_dump()


def asked_of(client: Any, response: Any, text: str, **options: Any) -> Any:
    messages = [{"role": "user", "content": f"Extract: {text}"}]
    return client.chat.completions.create(model="m", messages=messages, response_model=response, **options)


def test_the_ways_of_asking(server: Server):
    client, people = theirs(server), ours(server, Person)

    async def left() -> list[Any]:
        async def one(text: str) -> Any:
            return await asked_of(client, Person, text)

        semaphore = asyncio.Semaphore(2)

        async def limited(text: str) -> Any:
            async with semaphore:
                return await one(text)

        completed = [await task for task in asyncio.as_completed([one(text) for text in PEOPLE])]
        return [
            await one(PEOPLE[0]),
            [await one(text) for text in PEOPLE],
            await asyncio.gather(*[one(text) for text in PEOPLE]),
            sorted(completed, key=lambda person: person.name),
            await asyncio.gather(*[limited(text) for text in PEOPLE]),
        ]

    async def right() -> list[Any]:
        completed = [done.value async for done in people.as_completed(PEOPLE)]
        return [
            await people.extract(PEOPLE[0]),
            await people.sequential(PEOPLE),
            await people.gather(PEOPLE),
            sorted(completed, key=lambda person: person.name),
            await people.rate_limited_gather(PEOPLE, 2),
        ]

    assert plain(asyncio.run(left())) == plain(asyncio.run(right()))


def test_context_and_citations(server: Server):
    texts = ["quote well , all is well", "quote ill , all is well"]
    client = theirs(server)
    facts = ours(server, Fact, context=lambda row: {"text": row.partition(", ")[2]}, max_reasks=0)

    async def left(text: str) -> Any:
        return await asked_of(client, Fact, text, context={"text": text.partition(", ")[2]}, max_retries=0)

    assert plain(asyncio.run(left(texts[0]))) == plain(facts.extract_sync(texts[0]))
    with pytest.raises(Exception, match="the quote is not in the text"):
        asyncio.run(left(texts[1]))
    with pytest.raises(rowcall.InvalidError, match="the quote is not in the text"):
        facts.extract_sync(texts[1])


def test_three_retries_are_four_requests_on_both_sides(server: Server):
    client, people = theirs(server), ours(server, Person, max_reasks=3)

    async def left() -> None:
        await asked_of(client, Person, "Wrong 1 x", max_retries=3)

    with pytest.raises(Exception, match="age"):
        asyncio.run(left())
    theirs_sent = server.requests
    with pytest.raises(rowcall.InvalidError) as caught:
        people.extract_sync("Wrong 1 x")
    assert (theirs_sent, server.requests - theirs_sent, caught.value.attempts) == (4, 4, 4)


def test_completion_and_usage(server: Server):
    client, people = theirs(server), ours(server, Person)
    messages = [{"role": "user", "content": f"Extract: {PEOPLE[0]}"}]

    async def left() -> Any:
        return await client.chat.completions.create_with_completion(model="m", messages=messages, response_model=Person)

    person, completion = asyncio.run(left())
    (done,) = people.as_completed(PEOPLE[:1])
    assert plain(done.value) == plain(person) and done.model == completion.model
    assert (done.usage.input_tokens, done.usage.output_tokens) == (completion.usage.prompt_tokens, completion.usage.completion_tokens)


def test_hooks_are_events(server: Server):
    client, seen, over = theirs(server), [], threading.Event()
    errors: list[Any] = []
    client.on("parse:error", errors.append)

    async def left() -> None:
        await asked_of(client, Person, "Wrong 1 x", max_retries=1)

    with pytest.raises(Exception, match="age"):
        asyncio.run(left())

    def on_event(event: rowcall.Event) -> None:
        seen.append(event.kind)
        if event.kind == "ended":
            over.set()

    with pytest.raises(rowcall.InvalidError):
        ours(server, Person, max_reasks=1, on_event=on_event).extract_sync("Wrong 1 x")
    assert over.wait(30)
    assert len(errors) == 2 and seen.count("reasked") == 1 and seen.count("answered") == 2
