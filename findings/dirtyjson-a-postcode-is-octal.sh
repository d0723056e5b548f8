#!/usr/bin/env bash
# Guess: a reader of loose JSON takes a number with leading zeros, which models write for postcodes, as text or as decimal.
# Fact (dirtyjson 1.0.8): it is octal. {"zip": 00123} is 83, and no error says so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check dirtyjson==1.0.8
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version
import dirtyjson

got = dict(dirtyjson.loads('{"zip": 00123}'))
print("dirtyjson", version("dirtyjson"))
print('{"zip": 00123} is read as', got)
assert got == {"zip": 83}, "leading zeros are no longer octal"
PY
