#!/usr/bin/env bash
# Guess: a list without `maxItems` may have any number of items.
# Fact (lm-format-enforcer 0.11.3): after 20 items a model can only close the list, so that the others of a longer one are missing from a
# valid answer. `minItems: 20` and more lift the limit.
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
def items(count, **limits):
    numbers = {"type": "array", "items": {"type": "integer"}, **limits}
    schema = {"type": "object", "properties": {"n": numbers}, "required": ["n"]}
    return accepts(schema, json.dumps({"n": list(range(count))}))

found = {count: items(count) for count in (1, 20, 21, 100)}
print("items accepted:", found)
print("with `minItems: 30`, 31 items:", items(31, minItems=30))
assert found == {1: True, 20: True, 21: False, 100: False}, "longer lists are accepted now"
assert items(31, minItems=30)
PY
