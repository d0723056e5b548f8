#!/usr/bin/env bash
# Guess: a cell with two lines has two lines, or at least a space between them, in every reader.
# Fact (python-calamine 0.9.1): <text:line-break/> in an OpenDocument sheet is nothing, so "12" above "30 Main St" is "1230 Main St" in the
# prompt. pyexcel-ods3 writes cells in this way; odfpy and pyexcel read the lines back.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check python-calamine==0.9.1 pandas==3.1.1 odfpy==1.4.1 pyexcel==0.7.6 pyexcel-ods3==0.6.1
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version

import pandas as pd
import pyexcel

text = "12\n30 Main St"
pyexcel.save_as(array=[["address"], [text]], dest_file_name="rows.ods")
print("python-calamine", version("python-calamine"), "pandas", pd.__version__, "pyexcel-ods3", version("pyexcel-ods3"))
found = {
    "pyexcel": pyexcel.get_array(file_name="rows.ods")[1][0],
    "pandas with odfpy": pd.read_excel("rows.ods", engine="odf")["address"][0],
    "pandas with calamine": pd.read_excel("rows.ods", engine="calamine")["address"][0],
}
for reader, value in found.items():
    print(f"{reader}: {value!r}")
assert list(found.values()) == [text, text, "1230 Main St"], "line breaks are kept now"
PY
