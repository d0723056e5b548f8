#!/usr/bin/env bash
# Guess: `json_schema_to_grammar`, documented as "Convert a JSON schema … to a llama.cpp grammar string", returns a grammar in llama.cpp's
# own format (GBNF, `root ::= …`) for any llama.cpp server, and fails for a schema that it cannot convert, as llama.cpp's function does.
# Fact (xllamacpp 2026.10.11549): it returns the schema itself under `%llguidance {}`, which only a build with llguidance reads, and it
# converts nothing: a type that does not exist and a reference to nowhere come back as well, and fail with the first request.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check --no-deps xllamacpp==2026.10.11549
cd "$dir"
venv/bin/python - <<'PY'
import json
from importlib.metadata import version

from xllamacpp import json_schema_to_grammar

print("xllamacpp", version("xllamacpp"))
print(json_schema_to_grammar.__doc__.strip().splitlines()[-1].strip())
schemas = [
    {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}}, "required": ["n"]},
    {"type": "nonsense"},
    {"$ref": "#/nowhere"},
]
for schema in schemas:
    grammar = json_schema_to_grammar(schema)
    print(repr(grammar))
    assert "root ::=" not in grammar, "it is GBNF now"
    head, text = grammar.split("%json ", 1)
    assert head == "%llguidance {}\nstart: ", head
    assert json.loads(text) == schema, "the schema is converted now"
PY
