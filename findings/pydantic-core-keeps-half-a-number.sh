#!/usr/bin/env bash
# Guess: from_json(allow_partial=True) leaves out what may go on, as it does with the text at the end.
# Fact (pydantic_core 2.50.5): a text that was cut is left out, a number that was cut is kept. Of {"total": 1250.75 the reader of a stream
# has 1, 12, 125, 1250, … one after the other, and each is a valid total. A limit that cuts the answer there leaves a wrong amount.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pydantic==2.14.4
cd "$dir"
venv/bin/python - <<'PY'
import pydantic_core
from pydantic_core import from_json

text = '{"name": "Ann Lee", "total": 1250.75}'
cut_text = from_json(text[:text.index("Lee")], allow_partial=True)
totals = [from_json(text[:end], allow_partial=True).get("total") for end in range(text.index("1250"), len(text))]
print("pydantic_core", pydantic_core.__version__)
print("cut within the name:", cut_text)
print("totals seen while the number comes:", totals)
assert cut_text == {} and totals[1:5] == [1, 12, 125, 1250] and totals[-1] == 1250.75, "half a number is left out now"
PY
