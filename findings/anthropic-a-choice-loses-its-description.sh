#!/usr/bin/env bash
# Guess: Field(description=…) reaches the model on every field.
# Fact (anthropic 2.14.0): not on fields whose type is an enum or a class of its own. Their schema is a reference, and transform_schema drops what
# stands beside one, though it keeps the descriptions of texts and numbers. What was written to explain a choice is never seen by the model.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check anthropic==2.14.0 pydantic==2.14.4
cd "$dir"
venv/bin/python - <<'PY'
import json
from enum import Enum
import anthropic
from anthropic import transform_schema
from pydantic import BaseModel, Field

class Severity(Enum):
    LOW = "low"
    HIGH = "high"

class Ticket(BaseModel):
    severity: Severity = Field(description="as the customer sees it, not as the agent does")
    summary: str = Field(description="one sentence")

before = Ticket.model_json_schema()["properties"]
after = transform_schema(Ticket)["properties"]
print("anthropic", anthropic.__version__)
for name in before:
    print(f"{name}: {json.dumps(before[name])} -> {json.dumps(after[name])}")
assert "description" in before["severity"] and after["summary"]["description"] == "one sentence"
assert "description" not in after["severity"], "descriptions beside a reference are kept now"
PY
