#!/usr/bin/env bash
# Guess: srsly, the JSON of spaCy and Prodigy, writes numbers as Python's json does.
# Fact (srsly 2.5.6): it writes nine decimals. A probability of 1e-12 is 0.0 and its logarithm minus infinity, embeddings lose digits, and
# numbers with 16 digits change when they are read, too. Nothing is reported.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check srsly==2.5.6
cd "$dir"
venv/bin/python - <<'PY'
import json
from importlib.metadata import version

import srsly

print("srsly", version("srsly"))
numbers = {1e-12: 0.0, 2.7e-10: 3e-10, 1.5e-8: 1.5e-8, 0.1234567890123456: 0.123456789}
srsly.write_jsonl("answers.jsonl", [{"probability": number} for number in numbers])
for number, line in zip(numbers, open("answers.jsonl"), strict=True):
    found = json.loads(line)["probability"]
    print(f"{number!r} is written as {line.strip()}")
    assert found == numbers[number], "other digits are written now"
read = srsly.json_loads("0.1234567890123456")
print(f"0.1234567890123456 is read as {read!r}")
assert read != 0.1234567890123456, "digits survive being read now"
PY
