#!/usr/bin/env bash
# Guess: a JSON number with a fraction is a float.
# Fact (demjson3 3.0.6): the type depends on how it is written. 0.3 is a float, 0.30000000000000004, which Python and JavaScript
# print for 0.1 + 0.2, is a Decimal, and 1E5 an int. Some rows of a column then cannot be written by json.dumps.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check demjson3==3.0.6
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version
import json
import demjson3

kinds = {text: type(demjson3.decode(text)).__name__ for text in ("0.3", "0.30000000000000004", "1E5")}
print("demjson3", version("demjson3"))
print(kinds)
try:
    json.dumps(demjson3.decode('{"v": 0.30000000000000004}'))
    failed = False
except TypeError as error:
    failed = True
    print("json.dumps:", error)
assert kinds == {"0.3": "float", "0.30000000000000004": "Decimal", "1E5": "int"} and failed, "the types have changed"
PY
