#!/usr/bin/env bash
# Guess: LiteLLM's cache gives an answer again only if the same request would go to the same server.
# Fact (litellm 1.110.2): the key leaves out api_base, extra_body and parameters that it does not know. Another server that calls its model the
# same, another `guided_json` schema or thinking switched off all get the answer of the first, so a comparison compares one with itself.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check litellm==1.110.2 fastapi==0.165.0 soundfile==0.14.0 orjson==3.13.0
cd "$dir"
venv/bin/python - <<'PY'
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm
from litellm.caching.caching import Cache

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({
            "id": "x", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": f"of server {self.server.name}"}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

def start(name):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.name = True, name
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"

first, second = start("A"), start("B")
litellm.cache = Cache(type="local")

def ask(server, **options):
    answer = litellm.completion(
        model="openai/m", messages=[{"role": "user", "content": "x"}], api_base=server, api_key="none", caching=True, **options)
    return answer.choices[0].message.content, bool(answer._hidden_params.get("cache_hit"))

print("litellm", version("litellm"))
got = {
    "server A": ask(first),
    "server B": ask(second),
    "B, a schema in extra_body": ask(second, extra_body={"guided_json": {"type": "object"}}),
    "B, thinking off": ask(second, chat_template_kwargs={"enable_thinking": False}),
    "B, temperature 1": ask(second, temperature=1),
}
for name, (text, _) in got.items():
    print(f"{name}: {text}")
texts = [text for text, _ in got.values()]
assert texts == ["of server A"] * 4 + ["of server B"], "the key of the cache has changed"
PY
