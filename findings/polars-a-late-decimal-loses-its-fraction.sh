#!/usr/bin/env bash
# Guess: pl.DataFrame(rows) is strict unless asked otherwise, so a value that does not fit the inferred type raises an error.
# Fact (polars 2.1.0): the types come from the first 100 rows; in a later row 1.5 and even the text "1.5" become 1 without an
# error, and a field that first comes later, also within a struct, is dropped. With infer_schema_length=None values are kept.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check polars==2.1.0
cd "$dir"
venv/bin/python - <<'PY'
import polars as pl

def last(value, **options):
    rows = [{"v": 1}] * 200 + [value]
    return pl.DataFrame(rows, **options).row(200, named=True)

print("polars", pl.__version__)
for value, expected in [({"v": 1.5}, {"v": 1}), ({"v": "1.5"}, {"v": 1}), ({"v": 1, "note": "paid"}, {"v": 1})]:
    got = last(value)
    print(f"row 201 is {value}, the frame has {got}")
    assert got == expected, "late values are no longer changed"
whole = last({"v": 1.5}, infer_schema_length=None)
print("with infer_schema_length=None:", whole)
assert whole == {"v": 1.5}
PY
