#!/usr/bin/env bash
# Guess: with a Pydantic class as response_schema, an answer that does not fit raises an error, as it does in OpenAI's SDK.
# Fact (google-genai 3.6.1): `parsed` is None, whether a value is of the wrong type or the answer was cut, and no error or warning says so.
# A list of response.parsed over many rows has None for each failed row, and a field that allows null takes it for an answer.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check google-genai==3.6.1 pydantic==2.14.4
cd "$dir"
venv/bin/python - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from google import genai
from pydantic import BaseModel

SENT, ANSWERS = [], []

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        SENT.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        text, reason = ANSWERS.pop(0)
        body = json.dumps({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": reason}]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = genai.Client(api_key="none", http_options={"base_url": f"http://127.0.0.1:{server.server_port}"})

def ask(kind, text, reason="STOP"):
    ANSWERS.append((text, reason))
    config = {"response_mime_type": "application/json", "response_schema": kind}
    return client.models.generate_content(model="gemini-2.5-flash", contents="x", config=config)

class Person(BaseModel):
    name: str
    age: int

got = [ask(Person, '{"name": "Ann", "age": "unknown"}').parsed, ask(Person, '{"name": "Ann", "age":', "MAX_TOKENS").parsed,
       ask(Person, '{"name": "Ann", "age": 30}').parsed]
server.shutdown()
print("google-genai", version("google-genai"))
print("wrong type, cut, right:", got)
assert got == [None, None, Person(name="Ann", age=30)], "answers that do not fit raise now"
PY
