#!/usr/bin/env bash
# Guess: a text longer than an Excel cell can hold is refused, or at least reported, when a workbook is written.
# Fact (openpyxl 3.1.5; Polars 2.1.0 with XlsxWriter 3.2.9): both keep the first 32,767 characters and say nothing. A column of long
# answers, such as JSON, ends in the middle of a value.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check openpyxl==3.1.5 polars==2.1.0 xlsxwriter==3.2.9
cd "$dir"
venv/bin/python -W error - <<'PY'
import json

import openpyxl
import polars

answer = json.dumps({"notes": ["one more note"] * 3_000})
workbook = openpyxl.Workbook()
workbook.active.append([answer])
workbook.save("openpyxl.xlsx")
polars.DataFrame({"answer": [answer]}).write_excel("polars.xlsx")
print("openpyxl", openpyxl.__version__, "polars", polars.__version__, "an answer of", len(answer), "characters")
for name, cell in (("openpyxl.xlsx", "A1"), ("polars.xlsx", "A2")):
    kept = openpyxl.load_workbook(name).active[cell].value
    print(name, "keeps", len(kept))
    assert kept == answer[:32_767]
PY
