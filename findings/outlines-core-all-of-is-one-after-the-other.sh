#!/usr/bin/env bash
# Guess: `allOf` of two objects is one object with the properties of both, or is refused.
# Fact (outlines-core 0.2.14): the two are put one after the other. Only {"id": 1}{"total": 2} can be written, which JSON parsers refuse, while
# {"id": 1, "total": 2} cannot. Every row is paid for and none is read.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check outlines-core==0.2.14
cd "$dir"
venv/bin/python - <<'PY'
import json
import re
from importlib.metadata import version

from outlines_core.json_schema import build_regex_from_schema

def part(name):
    return {"type": "object", "properties": {name: {"type": "integer"}}, "required": [name]}

pattern = build_regex_from_schema(json.dumps({"allOf": [part("id"), part("total")]}))
print("outlines-core", version("outlines-core"))
expected = {'{"id": 1, "total": 2}': False, '{"id": 1}{"total": 2}': True}
for text, is_accepted in expected.items():
    found = re.fullmatch(pattern, text) is not None
    print(f"{text}: {'accepted' if found else 'cannot be written'}")
    assert found == is_accepted, "allOf means something else now"
PY
