#!/usr/bin/env bash
# Guess: a value of the model's JSON comes back as it was written. Only a thought before the answer is taken off.
# Fact (pydantic-ai-slim 2.38.0): <think>…</think> is cut out anywhere, also within a text of a NativeOutput's or PromptedOutput's JSON. An answer that
# quotes a reasoning trace, or just the tag, is valid and shorter. Through a tool call the text is kept.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pydantic-ai-slim==2.38.0 openai==3.3.0
cd "$dir"
venv/bin/python - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import pydantic
from pydantic_ai import Agent, NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

class Quote(pydantic.BaseModel):
    text: str

quote = {"text": "It wrote <think>12 or 13?</think> 12."}

class Server(BaseHTTPRequestHandler):
    """Gives the same quote through a tool call or as the answer."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        message = {"role": "assistant", "content": json.dumps(quote)}
        if body.get("tools"):
            call = {"name": body["tools"][0]["function"]["name"], "arguments": json.dumps(quote)}
            message = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": call}]}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        answer = json.dumps({"id": "a", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
provider = OpenAIProvider(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none")
print("pydantic-ai-slim", version("pydantic-ai-slim"))
for kind in (ToolOutput, NativeOutput, PromptedOutput):
    found = Agent(OpenAIChatModel("m", provider=provider), output_type=kind(Quote)).run_sync("Quote it.").output.text
    print(f"{kind.__name__}: {found!r}")
    assert found == (quote["text"] if kind is ToolOutput else "It wrote  12."), "the tag is kept now"
PY
