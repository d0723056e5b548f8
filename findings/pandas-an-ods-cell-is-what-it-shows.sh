#!/usr/bin/env bash
# Guess: a cell of an OpenDocument sheet has its stored value: office:boolean-value="true" is True, PT0H1M30S is 90 seconds.
# Fact (pandas 3.1.1, odfpy 1.4.1): its default reader looks at the text that is shown. TRUE as a German or French LibreOffice shows it is False,
# and 1 minute 30 shown as 01:30 is half past one. With engine="calamine" the stored values are read.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pandas==3.1.1 odfpy==1.4.1 python-calamine==0.9.1
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version

import pandas as pd
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

shown = ["TRUE", "WAHR", "VRAI"]
cells = [({"valuetype": "boolean", "booleanvalue": "true"}, text) for text in shown]
cells.append(({"valuetype": "time", "timevalue": "PT0H1M30S"}, "01:30"))
sheet, table = OpenDocumentSpreadsheet(), Table(name="Sheet1")
for attributes, text in [({"valuetype": "string"}, "value"), *cells]:
    cell, row = TableCell(**attributes), TableRow()
    cell.addElement(P(text=text))
    row.addElement(cell)
    table.addElement(row)
sheet.spreadsheet.addElement(table)
sheet.save("rows.ods")

read = pd.read_excel("rows.ods")["value"].tolist()
stored = pd.read_excel("rows.ods", engine="calamine")["value"].tolist()
print("pandas", pd.__version__, "odfpy", version("odfpy"), "python-calamine", version("python-calamine"))
for (attributes, text), by_default, by_calamine in zip(cells, read, stored, strict=True):
    value = attributes.get("booleanvalue") or attributes["timevalue"]
    print(f"stored {value}, shown {text}: {by_default!r} by default, {by_calamine!r} with calamine")
assert read[:3] == [True, False, False] and str(read[3]) == "01:30:00", "stored values are read now"
assert stored[:3] == [True, True, True] and str(stored[3]) == "00:01:30"
PY
