#!/usr/bin/env bash
# Guess: `format: ipv6` lets a model write every IPv6 address, ::ffff:192.0.2.1 among them (RFC 4291, section 2.2, third form).
# Fact (llguidance 1.9.1): no address that ends in dotted numbers can be written. A model that copies one from a log is led to another.
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
import ipaddress

expected = {"2001:db8::1": True, "::ffff:c000:201": True, "::ffff:192.0.2.1": False, "64:ff9b::192.0.2.33": False}
found = {address: accepts({"type": "string", "format": "ipv6"}, json.dumps(address)) for address in expected}
for address, accepted in found.items():
    ipaddress.IPv6Address(address)
    print(f"{address}: accepted: {accepted}")
assert found == expected, "the third form is accepted now"
PY
