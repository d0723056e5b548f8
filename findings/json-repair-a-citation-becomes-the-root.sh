#!/usr/bin/env bash
# Guess: json_repair.loads finds the object in an answer with words around it.
# Fact (json_repair 0.64.6): it takes brackets in the words for JSON too. "According to [1]: {…}" is a list of two values, the
# citation first, so a reader that expects an object gets a list, or, with the usual [0], the number of a footnote.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check json_repair==0.64.6
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version
import json_repair

plain = json_repair.loads('According to the text: {"total": 12.5}')
cited = json_repair.loads('According to [1]: {"total": 12.5}')
print("json_repair", version("json_repair"))
print("without a citation:", plain)
print("with [1] before it:", cited)
assert plain == {"total": 12.5}
assert cited == [[1], {"total": 12.5}], "a citation is no longer a value"
PY
