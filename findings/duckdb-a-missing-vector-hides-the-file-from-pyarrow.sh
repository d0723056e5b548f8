#!/usr/bin/env bash
# Guess: a Parquet file with one missing vector is read like one with a missing number.
# Fact (duckdb 2.0.1, pyarrow 26.0.1): DuckDB writes a NULL in a column of fixed length (FLOAT[2]) with levels for values that are not there.
# DuckDB and Polars read it back, but pyarrow, and with it pandas, reads no row of the file. FLOAT[] is written correctly.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check duckdb==2.0.1 pyarrow==26.0.1 polars==2.1.0
cd "$dir"
venv/bin/python - <<'PY'
import duckdb
import polars as pl
import pyarrow
import pyarrow.parquet as pq

def write(kind):
    file = f"{len(kind)}.parquet"
    rows = f"select id, case when id <> 1 then [id, 10 * id]::{kind} end as vector from range(3) t(id)"
    duckdb.sql(f"copy ({rows}) to '{file}'")
    return file

vectors = [[0.0, 0.0], None, [2.0, 20.0]]
print("duckdb", duckdb.__version__, "pyarrow", pyarrow.__version__, "polars", pl.__version__)
fixed, free = write("float[2]"), write("float[]")
assert pq.read_table(free)["vector"].to_pylist() == vectors
print("float[]: pyarrow reads", vectors)
assert pl.read_parquet(fixed)["vector"].to_list() == vectors
assert duckdb.sql(f"select vector from '{fixed}'").fetchall() == [(vector,) for vector in vectors]
print("float[2]: polars and duckdb read", vectors)
try:
    print(pq.read_table(fixed))
    raise SystemExit("pyarrow reads the file now")
except pyarrow.ArrowInvalid as error:
    print("float[2]: pyarrow:", error)
PY
