#!/usr/bin/env bash
# Guess: every valid JSON text means the same to json5.
# Fact (json5 0.17.3): two escapes that make one character, as json.dumps writes it by default, stay two halves. The value looks
# right until it is written: encoding it as UTF-8 raises UnicodeEncodeError, after the answer was paid for.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check json5==0.17.3
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version
import json
import json5

text = json.dumps({"music": "\U0001d11e"})
expected, got = json.loads(text)["music"], json5.loads(text)["music"]
print("json5", version("json5"))
print(f"{text}: json has {len(expected)} character, json5 {len(got)}")
try:
    got.encode()
    failed = False
except UnicodeEncodeError as error:
    failed = True
    print("written as UTF-8:", type(error).__name__)
assert len(expected) == 1 and len(got) == 2 and failed, "the halves are joined now"
PY
