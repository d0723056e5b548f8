#!/usr/bin/env bash
# Guess: a text is written to a cell as it is, unless it begins with =.
# Fact (xlsxwriter 3.3.1): a text that begins with `internal:`, `external:` or `mailto:` becomes a link without that word. An answer
# "internal: ask sales" is read back as " ask sales". pandas takes xlsxwriter where it is installed, and Polars always does.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check xlsxwriter==3.3.1 pandas==3.1.1 polars==2.1.0 openpyxl==3.1.5
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version

import pandas as pd
import polars as pl

written = ["internal: ask sales", "external: ask the carrier", "mailto:ann@example.org", "Internal: ask sales"]
expected = [" ask sales", " ask the carrier", "ann@example.org", "Internal: ask sales"]
pd.DataFrame({"note": written}).to_excel("pandas.xlsx", index=False)
pl.DataFrame({"note": written}).write_excel("polars.xlsx")
pd.DataFrame({"note": written}).to_excel("openpyxl.xlsx", index=False, engine="openpyxl")

print("xlsxwriter", version("xlsxwriter"), "pandas", pd.__version__, "polars", pl.__version__)
for name in ("pandas", "polars", "openpyxl"):
    read = pd.read_excel(f"{name}.xlsx", engine="openpyxl")["note"].tolist()
    print(f"{name}: {read}")
    assert read == (written if name == "openpyxl" else expected), "another text is written now"
PY
