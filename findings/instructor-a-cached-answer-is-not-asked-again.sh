#!/usr/bin/env bash
# Guess: with `max_retries=3`, an answer that a validator rejects is asked about again, wherever it comes from.
# Fact (instructor 1.17.0): an answer from its cache is validated, but if a validator (such as one added since) rejects it, Pydantic's
# own error is raised, nothing is asked, and every later call fails in the same way.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check instructor==1.17.0 openai==3.3.0
cd "$dir"
venv/bin/python - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import instructor
import openai
import pydantic
from instructor.cache import AutoCache

requests = 0


class Server(BaseHTTPRequestHandler):
    """Answers `ann` to the first request and `Ann` to all others."""

    def do_POST(self):
        global requests
        requests += 1
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        arguments = json.dumps({"name": "ann" if requests == 1 else "Ann"})
        call = {"id": "c", "type": "function", "function": {"name": body["tools"][0]["function"]["name"], "arguments": arguments}}
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": None, "tool_calls": [call]}}
        usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
        answer = {"id": "a", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        answer = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
base_url = f"http://127.0.0.1:{server.server_port}/v1"


def person(is_strict):
    class Person(pydantic.BaseModel):
        name: str

        @pydantic.field_validator("name")
        @classmethod
        def has_a_capital(cls, name):
            if is_strict and name.islower():
                raise ValueError("write names with a capital")
            return name

    return Person


def ask(client, model):
    messages = [{"role": "user", "content": "Who is it?"}]
    return client.chat.completions.create(model="m", messages=messages, response_model=model, max_retries=3).name


print("instructor", version("instructor"))
cached = instructor.from_openai(openai.OpenAI(base_url=base_url, api_key="none"), cache=AutoCache())
print("first answer, kept in the cache:", ask(cached, person(is_strict=False)))
for attempt in (1, 2):
    try:
        ask(cached, person(is_strict=True))
        raise SystemExit("it is asked again now")
    except pydantic.ValidationError as error:
        print(f"call {attempt} with the stricter validator: ValidationError, requests so far: {requests}")
assert requests == 1, requests
requests = 0
plain = instructor.from_openai(openai.OpenAI(base_url=base_url, api_key="none"))
print("without the cache:", ask(plain, person(is_strict=True)), "after", requests, "requests")
assert requests == 2, requests
PY
