#!/usr/bin/env bash
# Guess: embed_content(contents=["first row", "second row"]) gives a vector for each text, with every model.
# Fact (google-genai 3.6.1): it does so for gemini-embedding-001. For gemini-embedding-2 the texts are sent as the parts of one content, so there is
# one vector for all of them: zip(rows, embeddings) keeps the first row, with a vector of everything. A list of Content objects gives one each.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check google-genai==3.6.1
cd "$dir"
venv/bin/python - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from google import genai
from google.genai import types

sent = []

class Server(BaseHTTPRequestHandler):
    """Gives a vector for each content that it is sent."""

    def do_POST(self):
        contents = [request["content"] for request in json.loads(self.rfile.read(int(self.headers["content-length"])))["requests"]]
        sent[:] = [[part["text"] for part in content["parts"]] for content in contents]
        answer = json.dumps({"embeddings": [{"values": [1.0, 0.0]} for _ in contents]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = genai.Client(api_key="none", http_options=types.HttpOptions(base_url=f"http://127.0.0.1:{server.server_port}"))
rows = ["first row", "second row"]
objects = [types.Content(parts=[types.Part(text=row)]) for row in rows]
print("google-genai", version("google-genai"))
for model, contents, vectors in [("gemini-embedding-001", rows, 2), ("gemini-embedding-2", rows, 1), ("gemini-embedding-2", objects, 2)]:
    found = len(client.models.embed_content(model=model, contents=contents).embeddings)
    print(f"{model}, two {type(contents[0]).__name__}s: {found} vectors, sent as {sent}")
    assert found == vectors, "the texts are sent in another way now"
PY
