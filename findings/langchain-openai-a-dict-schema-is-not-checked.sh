#!/usr/bin/env bash
# Guess: with_structured_output checks the answer by the schema that it was given.
# Fact (langchain-openai 1.7.4): only if the schema is a Pydantic class. Given the same schema as a dict, an answer without
# the required field and with a wrong type is returned as the value, and include_raw=True has parsing_error None.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check langchain-openai==1.7.4 langchain-core==1.8.3
cd "$dir"
venv/bin/python - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

class Invoice(BaseModel):
    total: float
    paid: bool

ANSWER = '{"totl": "twelve", "paid": "perhaps"}'

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({
            "id": "x", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
model = ChatOpenAI(model="m", base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none")
by_dict = model.with_structured_output(Invoice.model_json_schema(), method="json_schema", include_raw=True).invoke("x")
try:
    model.with_structured_output(Invoice, method="json_schema").invoke("x")
    by_class = "accepted"
except ValueError as error:
    by_class = type(error).__name__
server.shutdown()
print("langchain-openai", version("langchain-openai"))
print("answer:", ANSWER)
print("by the class:", by_class)
print("by its schema as a dict:", by_dict["parsed"], "parsing_error", by_dict["parsing_error"])
assert by_class == "ValidationError"
assert by_dict["parsed"] == json.loads(ANSWER) and by_dict["parsing_error"] is None, "a dict schema is checked now"
PY
