#!/usr/bin/env bash
# Guess: where a JSON Lines file has a value that does not fit what DuckDB inferred from the first rows, reading fails.
# Fact (duckdb 2.0.1): text among numbers fails, but much else does not. A column that is null in the sampled first 20,480 rows stays NULL in all
# later ones, a field that first comes later has no column, and 1.5 among whole numbers is read as 2. A file of results whose
# first failure stands at row 25,000 therefore has no failure at all. With sample_size=-1 all is read as it stands.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check duckdb==2.0.1
cd "$dir"
venv/bin/python - <<'PY'
import json
import duckdb

with open("results.jsonl", "w") as file:
    for number in range(30_000):
        row = {"id": number, "stars": 1, "_error": None}
        if number == 25_000:
            row |= {"stars": 1.5, "_error": {"kind": "refusal"}, "note": "late"}
        file.write(json.dumps(row) + "\n")

def look(source):
    relation = duckdb.sql(f"select * from {source} where id = 25000")
    return dict(zip(relation.columns, relation.fetchall()[0]))

usual = look("read_json('results.jsonl')")
whole = look("read_json('results.jsonl', sample_size=-1)")
print("duckdb", duckdb.__version__)
print("the row as it stands:  id 25000, stars 1.5, _error {'kind': 'refusal'}, note 'late'")
print("read as usual:        ", usual)
print("with sample_size=-1:  ", whole)
assert usual == {"id": 25000, "stars": 2, "_error": None}, "late values are no longer lost"
assert whole == {"id": 25000, "stars": 1.5, "_error": {"kind": "refusal"}, "note": "late"}
PY
