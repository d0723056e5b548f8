"""A server in the place of OpenAI's, which answers by the words of the question: for tests that run other libraries beside ours."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """Counts the requests for completions, and keeps the files of batches."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests = 0
        self.files: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


def person(text: str, is_asked_again: bool) -> dict[str, Any]:
    """`Ann 30 nurse` as a person. The age is not a number in the first answer about `Unclear`, and in every one about `Nonsense`."""
    name, age, occupation = text.split()[:3]
    is_odd = name == "Nonsense" or (name == "Unclear" and not is_asked_again)
    return {"name": name, "age": "old" if is_odd else int(age), "occupation": occupation}


def answer(asked: dict[str, Any]) -> Any:
    """The value for the question. A first quote is one that the text does not have."""
    texts = [str(message["content"]) for message in asked["messages"] if message["role"] == "user" and message["content"]]
    is_asked_again = any(message["role"] == "assistant" for message in asked["messages"])
    question, _, text = next(text for text in texts if ": " in text).partition(": ")
    if question.endswith("Quote"):
        return {"quote": text.split()[0] if is_asked_again else "nowhere"}
    if question.endswith("List"):
        persons = [person(each, is_asked_again) for each in text.split(", ")]
        properties = _schema(asked).get("properties", {})
        # Providers take no list at the root, so libraries wrap it in an object with their own field name.
        return {next(iter(properties)): persons} if properties else persons
    return person(text, is_asked_again)


def _schema(asked: dict[str, Any]) -> dict[str, Any]:
    if asked.get("tools"):
        return dict(asked["tools"][0]["function"]["parameters"])
    return dict(asked.get("response_format", {}).get("json_schema", {}).get("schema", {}))


def completion(asked: dict[str, Any]) -> dict[str, Any]:
    """The body of the answer, by a call of the tool if there is one."""
    found = json.dumps(answer(asked))
    message: dict[str, Any] = {"role": "assistant", "content": found}
    if asked.get("tools"):
        called = {"name": asked["tools"][0]["function"]["name"], "arguments": found}
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": called}]}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "stub-1", "choices": [choice], "usage": usage}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path.endswith("/files"):
            # The lines of the form that are JSON.
            lines = [line for line in body.splitlines() if line.startswith(b"{")]
            name = f"file-{len(self.server.files)}"
            self.server.files[name] = b"\n".join(lines)
            return self._say({"id": name, "object": "file", "bytes": 1, "created_at": 1, "filename": "f", "purpose": "batch", "status": "processed"})
        asked = json.loads(body)
        if self.path.endswith("/batches"):
            lines = self.server.files[asked["input_file_id"]].splitlines()
            done = [self._batched(json.loads(line)) for line in lines]
            self.server.files["output"] = "\n".join(map(json.dumps, done)).encode()
            return self._say(self._batch(len(done)))
        self.server.requests += 1
        return self._stream(asked) if asked.get("stream") else self._say(completion(asked))

    def do_GET(self) -> None:
        if self.path.endswith("/content"):
            return self._send(self.server.files["output"], "application/jsonl")
        return self._say(self._batch(3))

    def _batched(self, line: dict[str, Any]) -> dict[str, Any]:
        return {"id": "r", "custom_id": line["custom_id"], "response": {"status_code": 200, "body": completion(line["body"])}, "error": None}

    def _batch(self, rows: int) -> dict[str, Any]:
        counts = {"total": rows, "completed": rows, "failed": 0}
        times = {"created_at": 1, "completion_window": "24h", "endpoint": "/v1/chat/completions", "input_file_id": "file-0"}
        return {"id": "batch-1", "object": "batch", "status": "completed", "output_file_id": "output", "request_counts": counts, **times}

    def _stream(self, asked: dict[str, Any]) -> None:
        whole = completion(asked)
        call = whole["choices"][0]["message"]["tool_calls"][0]
        arguments = call["function"]["arguments"]
        parts = [arguments[at : at + 7] for at in range(0, len(arguments), 7)]
        chunks = []
        for place, part in enumerate(parts):
            function = {"name": call["function"]["name"], "arguments": part} if place == 0 else {"arguments": part}
            delta = {"role": "assistant", "tool_calls": [{"index": 0, "id": "c", "type": "function", "function": function}]}
            chunks.append({"index": 0, "delta": delta, "finish_reason": "stop" if place == len(parts) - 1 else None})
        events = [{**whole, "object": "chat.completion.chunk", "choices": [chunk], "usage": None} for chunk in chunks]
        self._send("".join(f"data: {json.dumps(event)}\n\n" for event in events).encode() + b"data: [DONE]\n\n", "text/event-stream")

    def _say(self, found: Any) -> None:
        self._send(json.dumps(found).encode(), "application/json")

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served() -> Iterator[Server]:
    """The server, while it serves."""
    with Server() as server:
        threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True).start()
        yield server
        server.shutdown()
