#!/usr/bin/env bash
# Guess: `type: [string, null]` with `maxLength: 2` limits the text as `type: string` does.
# Fact (lm-format-enforcer 0.11.3): as soon as `type` is a list, even of one, everything else is dropped: lengths, patterns, the type of a list's items,
# an object's required properties. With `anyOf` they hold.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check lm-format-enforcer==0.11.3
cd "$dir"
venv/bin/python - <<'PY'
import json
from importlib.metadata import version

from lmformatenforcer import JsonSchemaParser

def accepts(schema, value):
    parser = JsonSchemaParser(schema)
    for character in json.dumps(value):
        if character not in parser.get_allowed_characters():
            return False
        parser = parser.add_character(character)
    return parser.can_end()

required = {"properties": {"id": {"type": "integer"}}, "required": ["id"]}
print("lm-format-enforcer", version("lm-format-enforcer"))
for kind, rules, bad in [("string", {"maxLength": 2}, "abc"), ("string", {"pattern": "^[A-Z]{2}$"}, "none"),
                         ("array", {"items": {"type": "integer"}, "maxItems": 1}, ["a", "b"]), ("object", required, {})]:
    alone = {"type": kind, **rules}
    found = [accepts(schema, bad) for schema in (alone, {"anyOf": [alone, {"type": "null"}]}, {"type": [kind, "null"], **rules})]
    print(f"{json.dumps(bad)} with {json.dumps(rules)}: type: {found[0]}, anyOf: {found[1]}, a list of types: {found[2]}")
    assert found == [False, False, True], "a list of types keeps the limits now"
PY
