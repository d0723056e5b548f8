#!/usr/bin/env bash
# Guess: a field of type dict[str, int] keeps its meaning in Anthropic's structured output, or is refused by the SDK.
# Fact (anthropic 2.14.0): transform_schema, which output formats made of Pydantic classes go through, puts additionalProperties: false on every
# object and drops what the map's values are. The only value that the schema then allows is {}, so the field is empty in all rows.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check anthropic==2.14.0 pydantic==2.14.4
cd "$dir"
venv/bin/python - <<'PY'
import json
import anthropic
from anthropic import transform_schema
from pydantic import BaseModel

class Receipt(BaseModel):
    prices: dict[str, int]

before = Receipt.model_json_schema()["properties"]["prices"]
after = transform_schema(Receipt)["properties"]["prices"]
print("anthropic", anthropic.__version__)
print("schema of the class:", json.dumps(before))
print("schema that is sent:", json.dumps(after))
assert before["additionalProperties"] == {"type": "integer"}
assert after["additionalProperties"] is False and after["properties"] == {}, "a map is kept or refused now"
PY
