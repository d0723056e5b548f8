#!/usr/bin/env bash
# Guess: whatever `pattern` says, the answer is valid JSON, because the grammar is one of JSON.
# Fact (outlines-core 0.2.14): the pattern is put between the quotation marks as it is. `^[^,]+$` lets a bare quotation mark, a line break or a last
# backslash be written, which no parser reads, so the row is paid for and lost. llguidance 1.9.1 accepts only the escaped forms.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check outlines-core==0.2.14 llguidance==1.9.1
cd "$dir"
venv/bin/python - <<'PY'
import json
import re
from importlib.metadata import version

import llguidance
from outlines_core.json_schema import build_regex_from_schema

schema = json.dumps({"type": "object", "properties": {"title": {"type": "string", "pattern": "^[^,]+$"}}, "required": ["title"]})

def in_outlines_core(text):
    return re.fullmatch(build_regex_from_schema(schema), text) is not None

def in_llguidance(text):
    matcher = llguidance.LLMatcher(llguidance.LLTokenizer("byte"), llguidance.LLMatcher.grammar_from_json_schema(schema), log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    return matcher.try_consume_tokens(list(text.encode())) == len(text.encode()) and matcher.is_accepting()

def is_json(text):
    try:
        json.loads(text)
        return True
    except json.JSONDecodeError:
        return False

print("outlines-core", version("outlines-core"), "llguidance", version("llguidance"))
for text in (r'{"title": "the \"best\" one"}', '{"title": "the "best" one"}', '{"title": "two\nlines"}', '{"title": "ends with \\"}'):
    print(f"{text!r}: JSON {is_json(text)}, outlines-core {in_outlines_core(text)}, llguidance {in_llguidance(text)}")
    assert in_outlines_core(text) and in_llguidance(text) == is_json(text), "outlines-core accepts only JSON now"
PY
