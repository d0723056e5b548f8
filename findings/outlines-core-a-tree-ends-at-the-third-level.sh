#!/usr/bin/env bash
# Guess: a schema that refers to itself is either refused, since no regular expression describes it, or a tree of any depth can be written.
# Fact (outlines-core 0.2.14): it is taken without a word, and a model can write three levels. What it copies from a deeper tree is cut
# off, in an answer that is valid.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check --no-deps outlines-core==0.2.14
cd "$dir"
venv/bin/python - <<'PY'
import json
import re
from importlib.metadata import version

from outlines_core.json_schema import build_regex_from_schema

print("outlines-core", version("outlines-core"))
tree = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "below": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]}},
    "required": ["name", "below"],
}
pattern = re.compile(build_regex_from_schema(json.dumps({"$ref": "#/$defs/tree", "$defs": {"tree": tree}})))

def levels(count):
    value = None
    for number in range(count):
        value = {"name": f"level {count - number}", "below": value}
    return pattern.fullmatch(json.dumps(value)) is not None

found = {count: levels(count) for count in range(1, 6)}
print("levels accepted:", found)
assert found == {1: True, 2: True, 3: True, 4: False, 5: False}, "deeper trees are accepted now"
PY
