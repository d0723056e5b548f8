#!/usr/bin/env bash
# Guess: pandas.read_json decides the type of a column by its values.
# Fact (pandas 3.1.1): by its name as well. The text "123456789" is a number in a column `code` and a moment of the year 1973
# in a column `modified`, and in any whose name ends in `_at` or begins with `timestamp`. A prompt made of the column then has
# another text than the file.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pandas==3.1.1 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import pandas as pd

names = ["code", "modified", "counted_at", "timestamp_of_nothing"]
with open("rows.jsonl", "w") as file:
    file.write("{" + ", ".join(f'"{name}": "123456789"' for name in names) + "}\n")
row = pd.read_json("rows.jsonl", lines=True).iloc[0]
print("pandas", pd.__version__)
for name in names:
    print(f"{name}: {row[name]}")
assert row["code"] == 123456789, "the name no longer matters"
assert all(row[name].year == 1973 for name in names[1:]), "the name no longer matters"
kept = pd.read_json("rows.jsonl", lines=True, dtype=False).iloc[0]
print("with dtype=False:", dict(kept))
assert set(kept) == {"123456789"}
PY
