#!/usr/bin/env bash
# Guess: a class that refers to itself is sent with a reference, or refused.
# Fact (google-genai 3.6.1): the items of a recursive field are sent as {}, which says nothing. The first level of a tree is constrained, and what stands below
# may be anything, so the deeper a document, the more rows fail.
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

class Section(BaseModel):
    title: str
    sections: list["Section"]

ask(Section, '{"title": "a", "sections": []}')
server.shutdown()
config = SENT[0]["generationConfig"]
schema = config["responseSchema"]
print("google-genai", version("google-genai"))
print(json.dumps(schema))
assert schema["properties"]["title"]["type"] == "STRING"
assert schema["properties"]["sections"]["items"] == {}, "recursive fields are sent in another way now"
PY
