#!/usr/bin/env bash
# Guess: an option that Ollama's typed Options does not have raises an error, or is sent like one in a dict.
# Fact (ollama 0.6.3): it is dropped and nothing says so. Options(max_tokens=64), by the name that all others use, sends no limit, and the model
# writes until it ends by itself. A dict sends what it holds.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check ollama==0.6.3
cd "$dir"
venv/bin/python - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
import ollama

SENT = []

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        SENT.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["options"])
        body = json.dumps({"model": "m", "message": {"role": "assistant", "content": "x"}, "done": True}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = ollama.Client(host=f"http://127.0.0.1:{server.server_port}")
for options in (ollama.Options(max_tokens=64, temperature=0), {"max_tokens": 64, "temperature": 0}):
    client.chat(model="m", messages=[{"role": "user", "content": "x"}], options=options)
server.shutdown()
print("ollama", version("ollama"))
print("Options(max_tokens=64, temperature=0) sends", SENT[0])
print("a dict with the same sends", SENT[1])
assert "max_tokens" not in SENT[0] and SENT[0]["temperature"] == 0 and SENT[1]["max_tokens"] == 64, "unknown options are no longer dropped"
PY
