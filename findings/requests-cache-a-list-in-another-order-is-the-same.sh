#!/usr/bin/env bash
# Guess: a POST with another body is another request.
# Fact (requests-cache 1.3.3): a JSON body that is a list of texts is sorted for the key. ["bad", "good"] gets the answer to ["good", "bad"], so a
# service that answers by position gives each text the other's label. A list below a name keeps its order.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check requests-cache==1.3.3
cd "$dir"
venv/bin/python - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from requests_cache import CachedSession

class Server(BaseHTTPRequestHandler):
    """Answers each text of the list with a label, by position."""

    def do_POST(self):
        texts = json.loads(self.rfile.read(int(self.headers["content-length"])))
        texts = texts if isinstance(texts, list) else texts["inputs"]
        answer = json.dumps([f"label of {text}" for text in texts]).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
session = CachedSession(backend="memory", allowable_methods=["POST"])

def ask(body):
    answer = session.post(f"http://127.0.0.1:{server.server_port}/labels", json=body)
    print(f"{json.dumps(body)}: {answer.json()}{', from the cache' if answer.from_cache else ''}")
    return answer.json()

print("requests-cache", version("requests-cache"))
assert ask(["good", "bad"]) == ask(["bad", "good"]) == ["label of good", "label of bad"], "the order counts now"
assert ask({"inputs": ["good", "bad"]}) != ask({"inputs": ["bad", "good"]})
PY
