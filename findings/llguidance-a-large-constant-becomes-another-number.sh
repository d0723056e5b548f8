#!/usr/bin/env bash
# Guess: a schema whose only value is 9007199254740993, an identifier of 53 bits and more, lets a model write that number.
# Fact (llguidance 1.9.1): the constant goes through a 64-bit float. Only 9007199254740992 can be written, another row's identifier;
# of 12345678901234567890 only 12345678901234567000. The right answer is impossible, in an enum as well, and nothing says so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check llguidance==1.9.1
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version
import json
import llguidance

tokenizer = llguidance.LLTokenizer("byte")

def accepts(schema, text):
    grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema))
    matcher = llguidance.LLMatcher(tokenizer, grammar, log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    written = list(text.encode())
    return matcher.try_consume_tokens(written) == len(written) and matcher.is_accepting()

print("llguidance", version("llguidance"))
for given, written in [(9007199254740993, "9007199254740992"), (12345678901234567890, "12345678901234567000")]:
    for schema in [{"const": given}, {"enum": [given, 1]}]:
        own, other = accepts(schema, str(given)), accepts(schema, written)
        print(f"{json.dumps(schema)}: {given} accepted: {own}, {written} accepted: {other}")
        assert (own, other) == (False, True), "constants keep their digits now"
assert accepts({"type": "integer"}, "9007199254740993")
PY
