#!/usr/bin/env bash
# Guess: a `string` of a JSON Schema can be any text, as with other engines.
# Fact (lm-format-enforcer 0.11.3): unless a configuration lists more letters, a model can write those of ASCII only. "Müller" and
# "東京" are impossible in their usual spelling, and a model that copies a name is led to another one.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check --no-deps pydantic==2.14.4 pydantic-core==2.50.5 annotated-types==0.8.0 typing-extensions==4.16.0 typing-inspection==0.4.5 packaging==26.4 lm-format-enforcer==0.11.3 interegular==0.3.3 pyyaml==6.0.4 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import json
from importlib.metadata import version

from lmformatenforcer import JsonSchemaParser

def accepts(schema, text):
    parser = JsonSchemaParser(schema)
    for character in text:
        if character not in parser.get_allowed_characters():
            return False
        parser = parser.add_character(character)
    return parser.can_end()

print("lm-format-enforcer", version("lm-format-enforcer"))
schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
expected = {"Muller": True, "Müller": False, "東京": False, "5 €": False}
found = {name: accepts(schema, json.dumps({"name": name}, ensure_ascii=False)) for name in expected}
for name, accepted in found.items():
    print(f"{name}: accepted: {accepted}")
assert found == expected, "other letters are accepted now"
PY
