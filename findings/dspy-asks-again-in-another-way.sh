#!/usr/bin/env bash
# Guess: an answer that dspy.Predict cannot read raises an error; a second request is sent only by something that says "retry".
# Fact (dspy 3.4.1): every row whose answer does not fit is asked again at once with another prompt (JSON), with num_retries=0 as well.
# The row costs twice, and if it fails again the error shows the second answer only.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check dspy==3.4.1 litellm==1.110.2
cd "$dir"
venv/bin/python - <<'PY'
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["DSPY_CACHEDIR"] = os.getcwd() + "/cache"
import dspy

PROMPTS = []

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        PROMPTS.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["messages"][-1]["content"])
        body = json.dumps({
            "id": "x", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": f"answer {len(PROMPTS)}"}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
dspy.configure(lm=dspy.LM("openai/m", api_base=f"http://127.0.0.1:{server.server_port}/v1", api_key="none",
                          cache=False, num_retries=0))
try:
    dspy.Predict("text -> total: float")(text="a bill")
    error = ""
except Exception as raised:
    error = str(raised)
print("dspy", version("dspy"))
print("requests for one row:", len(PROMPTS))
print("the second asks:", PROMPTS[-1].splitlines()[-1])
print("answers in the error:", [answer for answer in ("answer 1", "answer 2") if answer in error])
assert len(PROMPTS) == 2 and "JSON" in PROMPTS[1] and "JSON" not in PROMPTS[0], "the number of requests has changed"
assert "answer 2" in error and "answer 1" not in error
PY
