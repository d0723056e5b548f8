#!/usr/bin/env bash
# Guess: map_elements calls the function once for each value.
# Fact (polars 2.1.0): without return_dtype it first calls it with invented values, twice with an empty text here, to learn
# the type. Two paid answers to questions that no row asks. With return_dtype there is one call for each value.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check polars==2.1.0
cd "$dir"
venv/bin/python -W ignore - <<'PY'
import polars as pl

def asked(**options):
    seen = []

    def ask(text):
        seen.append(text)
        return text.upper()

    pl.DataFrame({"t": ["a", "b", "c"]}).with_columns(x=pl.col("t").map_elements(ask, **options))
    return seen

without, given = asked(), asked(return_dtype=pl.String)
print("polars", pl.__version__)
print("asked without return_dtype:", without)
print("asked with return_dtype:   ", given)
assert sorted(without) == ["", "", "a", "b", "c"], "the invented calls have changed"
assert given == ["a", "b", "c"]
PY
