#!/usr/bin/env bash
# Guess: a decimal column that pyarrow writes as 12.34 is 12.34 in JavaScript, as a number or a text.
# Fact (apache-arrow 21.2.0 for JavaScript): it is 1234. The scale is in the type, and neither get() and toString() nor the table's own text uses it: a price
# of a database query or a Parquet file goes into the prompt, or a cost into the report, a hundred times too large.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pyarrow==26.0.1
cd "$dir"
npm install --silent --no-audit --no-fund --no-save apache-arrow@21.2.0
venv/bin/python - <<'PY'
import pyarrow
from decimal import Decimal

table = pyarrow.table({"price": pyarrow.array([Decimal("12.34"), Decimal("-0.05")], pyarrow.decimal128(10, 2))})
print("pyarrow", pyarrow.__version__, [str(price) for price in table["price"].to_pylist()])
with pyarrow.ipc.new_stream("rows.arrows", table.schema) as stream:
    stream.write_table(table)
PY
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { tableFromIPC } from 'apache-arrow';

const table = tableFromIPC(readFileSync('rows.arrows'));
const prices = table.toArray().map(row => String(row.price));
console.log('apache-arrow', JSON.parse(readFileSync('node_modules/apache-arrow/package.json')).version, `${table.schema}`, prices, table.toString());
if (prices.join() !== '1234,-5') throw new Error('the scale is used now');
JS
node run.mjs
