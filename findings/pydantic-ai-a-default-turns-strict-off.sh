#!/usr/bin/env bash
# Guess: an output type is sent to OpenAI in strict mode, whatever defaults its fields have.
# Fact (pydantic-ai-slim 2.68.0): one field with a default, a map or a minimum length makes the schema count as unfit for strict mode.
# With tool output it is then sent without `strict`, so the answers of all rows are no longer constrained. Optional without a default is fine.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pydantic-ai-slim[openai]==2.68.0
cd "$dir"
venv/bin/python - <<'PY'
import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

SENT = []

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        SENT.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        name = SENT[-1]["tools"][0]["function"]["name"]
        call = {"id": "1", "type": "function", "function": {"name": name, "arguments": '{"name": "Ann", "note": null}'}}
        body = json.dumps({
            "id": "x", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": None, "tool_calls": [call]}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

class Without(BaseModel):
    name: str
    note: str | None

class With(BaseModel):
    name: str
    note: str | None = None

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
provider = OpenAIProvider(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none")
for kind in (Without, With):
    Agent(OpenAIChatModel("gpt-6-luna", provider=provider), output_type=kind).run_sync("x")
server.shutdown()
strict = [sent["tools"][0]["function"].get("strict") for sent in SENT]
print("pydantic-ai-slim", version("pydantic-ai-slim"))
print("`note: str | None`        -> strict:", strict[0])
print("`note: str | None = None` -> strict:", strict[1])
assert strict == [True, None], "strict mode no longer depends on a default"
PY
