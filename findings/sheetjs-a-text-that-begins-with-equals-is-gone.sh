#!/usr/bin/env bash
# Guess: a CSV file read by SheetJS has its texts; Excel's formulas are a matter of .xlsx files.
# Fact (xlsx 0.18.5, the one on npm): a field that begins with = is a formula without a value, and sheet_to_json leaves it out: rows such as "=) nice place"
# or "== Summary ==" have no text and go to the model empty. "1,5" is 15, and 3-4 is a date's number. With `raw: true` for read() all are texts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save xlsx@0.18.5
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import xlsx from 'xlsx';

const file = 'id,text\na,nice place\nb,=) nice place\nc,== Summary ==\nd,"1,5"\ne,3-4\n';
const read = options => {
  const { Sheets, SheetNames } = xlsx.read(file, { type: 'string', ...options });
  return xlsx.utils.sheet_to_json(Sheets[SheetNames[0]]);
};
const usual = read({}), raw = read({ raw: true });
console.log('xlsx', JSON.parse(readFileSync('node_modules/xlsx/package.json')).version);
console.log('as usual: ', JSON.stringify(usual));
console.log('raw: true:', JSON.stringify(raw));
if ('text' in usual[1] || 'text' in usual[2] || usual[3].text !== 15 || typeof usual[4].text !== 'number') throw new Error('the texts are kept now');
if (raw[1].text !== '=) nice place' || raw[3].text !== '1,5') throw new Error('raw has changed');
JS
node run.mjs
