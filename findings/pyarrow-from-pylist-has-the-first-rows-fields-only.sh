#!/usr/bin/env bash
# Guess: pa.Table.from_pylist makes a column for every name that occurs in a row.
# Fact (pyarrow 26.0.1): the columns are the first row's. A list of answers in which the first one lacks an optional field
# loses that field of all rows, without an error or a warning.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pyarrow==26.0.1
cd "$dir"
venv/bin/python - <<'PY'
import pyarrow as pa

answers = [{"name": "Ann"}] + [{"name": "Bob", "age": 30}] * 999
table = pa.Table.from_pylist(answers)
print("pyarrow", pa.__version__)
print("999 of 1,000 answers have an age; columns:", table.column_names)
assert table.column_names == ["name"], "later fields have a column now"
PY
