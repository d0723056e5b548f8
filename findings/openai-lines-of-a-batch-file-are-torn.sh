#!/usr/bin/env bash
# Guess: files.content(id).iter_lines() gives the lines of a JSON Lines file, as a batch's output is one.
# Fact (openai 3.57.0, Python): lines also end at U+0085, U+2028 and other characters that JSON allows within a text, since httpx splits as
# str.splitlines does. One such character in an answer makes two lines of it, neither of which is JSON. The bytes split by b"\n" are right.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check openai==3.57.0
cd "$dir"
venv/bin/python - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
import openai

LINES = [{"custom_id": "row-1", "answer": "first\u2028second"}, {"custom_id": "row-2", "answer": "plain"}]
BODY = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in LINES).encode()

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "application/octet-stream")
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none")
lines = list(client.files.content("file-1").iter_lines())
whole = client.files.content("file-1").read().split(b"\n")[:-1]
server.shutdown()

def is_json(line):
    try:
        return bool(json.loads(line))
    except ValueError:
        return False

print("openai", openai.__version__)
print("the file has 2 lines; iter_lines:", [(line, is_json(line)) for line in lines])
print("bytes split by a line feed:", [is_json(line) for line in whole])
assert [is_json(line) for line in lines] == [False, False, True], "the lines are whole now"
assert [is_json(line) for line in whole] == [True, True]
PY
