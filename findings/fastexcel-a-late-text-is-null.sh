#!/usr/bin/env bash
# Guess: text in a column of numbers makes pl.read_excel read the column as text, or fail.
# Fact (fastexcel 0.21.0 with polars 2.1.0): the type comes from the first 1,000 rows. Text in a later row is null, without an
# error. engine="openpyxl" and infer_schema_length=None both keep it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check polars==2.1.0 fastexcel==0.21.0 xlsxwriter==3.2.9 pyarrow==26.0.1
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version
import polars as pl
import xlsxwriter

book = xlsxwriter.Workbook("rows.xlsx")
sheet = book.add_worksheet()
sheet.write_row(0, 0, ["id", "answer"])
for number in range(1500):
    sheet.write_row(number + 1, 0, [number, "none given" if number == 1300 else 1])
book.close()

usual = pl.read_excel("rows.xlsx").row(1300, named=True)
whole = pl.read_excel("rows.xlsx", infer_schema_length=None).row(1300, named=True)
print("fastexcel", version("fastexcel"), "polars", pl.__version__)
print("the cell holds 'none given'; read as usual:", usual)
print("with infer_schema_length=None:", whole)
assert usual == {"id": 1300, "answer": None}, "late text is no longer lost"
assert whole == {"id": 1300, "answer": "none given"}
PY
