#!/usr/bin/env bash
# Guess: `duckdb -csv` leaves a null's cell empty, as `COPY … TO` and sqlite3's shell do.
# Fact (duckdb-cli 1.5.6): it writes the word NULL, without quotes, and so it writes the text "NULL". The next program reads a text of four letters: rows that
# were to be skipped as empty are sent, and the model is asked about the word. With `-nullvalue ''` the cell is empty.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check duckdb-cli==1.5.6
cd "$dir"
venv/bin/duckdb --version
query="select 'a' id, 'fine' review union all select 'b', null union all select 'c', 'NULL' order by id"
venv/bin/duckdb -csv -c "$query" | tee usual.csv
venv/bin/duckdb -csv -nullvalue '' -c "$query" > empty.csv
venv/bin/duckdb -c "copy ($query) to 'copied.csv' (header)"
echo "with -nullvalue '': $(sed -n 3p empty.csv); with COPY: $(sed -n 3p copied.csv)"
[ "$(sed -n 3p usual.csv)" = "b,NULL" ] && [ "$(sed -n 4p usual.csv)" = "c,NULL" ]
[ "$(sed -n 3p empty.csv)" = "b," ] && [ "$(sed -n 3p copied.csv)" = "b," ]
