#!/usr/bin/env bash
# Guess: an integer beyond 64 bits in a JSON Lines file is refused, or only that value is made a float.
# Fact (pyarrow 26.0.1): the whole column becomes double, so other identifiers above 2^53, which fit into int64, change their
# last digits. Rows are then joined with answers by identifiers that belong to other rows.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pyarrow==26.0.1
cd "$dir"
venv/bin/python - <<'PY'
import pyarrow as pa
from pyarrow import json

def read(*identifiers):
    with open("rows.jsonl", "w") as file:
        file.writelines(f'{{"id": {identifier}}}\n' for identifier in identifiers)
    column = json.read_json("rows.jsonl")["id"]
    return str(column.type), [int(value) for value in column.to_pylist()]

alone = read(9007199254740993, 9007199254740995)
beside = read(9007199254740993, 9007199254740995, 18446744073709551616)
print("pyarrow", pa.__version__)
print("two identifiers:         ", alone)
print("with one beyond 64 bits: ", beside)
assert alone == ("int64", [9007199254740993, 9007199254740995])
assert beside[0] == "double" and beside[1][:2] == [9007199254740992, 9007199254740996], "the neighbours are kept now"
PY
