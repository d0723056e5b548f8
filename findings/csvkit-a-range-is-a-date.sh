#!/usr/bin/env bash
# Guess: csvjson turns columns of digits into numbers and leaves every other text as it is.
# Fact (csvkit 2.2.0): a column of ranges such as 1-2 becomes dates of the year 2001, times of a game or a recipe become durations in
# another notation, 3 days becomes "3 days, 0:00:00", and the answers n/a and none become null. There is no warning.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check csvkit==2.2.0
cd "$dir"
printf '%s\n' 'pages,score,term,degree' '1-2,12:30,3 days,none' '3-4,7:05,1 week,PhD' > rows.csv
venv/bin/csvjson --version
venv/bin/csvjson rows.csv | tee rows.json
echo
echo "with --no-inference:"
venv/bin/csvjson --no-inference rows.csv
echo
venv/bin/python - <<'PY'
import json

first, second = json.load(open("rows.json"))
assert first == {"pages": "2001-01-02", "score": "0:12:30", "term": "3 days, 0:00:00", "degree": None}, first
assert second == {"pages": "2001-03-04", "score": "0:07:05", "term": "7 days, 0:00:00", "degree": "PhD"}, second
PY
