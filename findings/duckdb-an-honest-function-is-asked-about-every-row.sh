#!/usr/bin/env bash
# Guess: side_effects=True on a Python function only stops DuckDB from merging equal calls; a LIMIT asks as many rows as before.
# Fact (duckdb 2.0.1): it also stops the planner from taking the first rows before it calls. With ORDER BY … LIMIT 5 the function
# is called for all 100,000 rows, without the flag for 5. Marking a paid call as what it is costs 20,000 times as much.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check duckdb==2.0.1 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import duckdb

def calls(side_effects):
    count = 0

    def ask(text: str) -> str:
        nonlocal count
        count += 1
        return text.upper()

    connection = duckdb.connect()
    connection.execute("create table rows as select i as id, 'row ' || i as text from range(100000) as r(i)")
    connection.create_function("ask", ask, side_effects=side_effects)
    rows = connection.execute("select id, ask(text) from rows order by id limit 5").fetchall()
    assert rows[0] == (0, "ROW 0") and len(rows) == 5
    return count

pure, honest = calls(False), calls(True)
print("duckdb", duckdb.__version__)
print(f"order by id limit 5: {pure} calls; with side_effects=True: {honest} calls")
assert (pure, honest) == (5, 100_000), "the number of calls has changed"
PY
