#!/usr/bin/env bash
# Guess: litellm.completion(num_retries=2) works with what litellm installs, and after the last retry raises the server's error.
# Fact (litellm 1.110.2): it needs tenacity, which litellm does not install. After three requests to a failing server the error is a bare Exception
# about an import: status and class are gone, so code that waits on RateLimitError or looks at status_code gives the row up.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check litellm==1.110.2
cd "$dir"
venv/bin/python - <<'PY'
import importlib.util
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm

assert importlib.util.find_spec("tenacity") is None, "tenacity is installed with litellm now"
litellm.suppress_debug_info = True
REQUESTS = []

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        REQUESTS.append(1)
        body = json.dumps({"error": {"message": "slow down"}}).encode()
        self.send_response(429)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()

def ask(**options):
    REQUESTS.clear()
    try:
        litellm.completion(model="openai/m", messages=[{"role": "user", "content": "x"}], api_key="none",
                           api_base=f"http://127.0.0.1:{server.server_port}/v1", **options)
    except Exception as error:
        return type(error).__name__, getattr(error, "status_code", None), len(REQUESTS)

usual, retried = ask(), ask(num_retries=2)
print("litellm", version("litellm"))
print("429 without num_retries (error, status, requests):", usual)
print("429 with num_retries=2:                           ", retried)
assert usual[:2] == ("RateLimitError", 429) and retried == ("Exception", None, 3), "num_retries works by itself now"
PY
