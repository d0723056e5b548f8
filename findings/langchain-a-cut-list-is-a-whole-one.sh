#!/usr/bin/env bash
# Guess: PydanticOutputParser refuses an answer that was cut at the output limit.
# Fact (langchain-core 1.8.3): it closes what is open and validates the rest. A list that was cut after two of many items is a
# valid list of two, and an amount that was cut is a smaller amount.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check langchain-core==1.8.3
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version
from langchain_core.output_parsers import PydanticOutputParser
from pydantic import BaseModel

class Invoice(BaseModel):
    items: list[str]
    total: float | None = None

parser = PydanticOutputParser(pydantic_object=Invoice)
whole = '{"total": 1250.75, "items": ["ink", "paper", "pens", "glue"]}'
by_item, by_amount = whole[:whole.index('", "pens')], '{"items": [], "total": 12'
print("langchain-core", version("langchain-core"))
for text in (by_item, by_amount):
    print(text, "->", parser.parse(text))
assert parser.parse(by_item).items == ["ink", "paper"] and parser.parse(by_amount).total == 12, "cut answers are refused now"
PY
