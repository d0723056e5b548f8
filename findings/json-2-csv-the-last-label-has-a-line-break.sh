#!/usr/bin/env bash
# Guess: the line break at the end of a CSV file ends its last row.
# Fact (json-2-csv 5.6.0): csv2json makes it part of the last value. "positive" in the last row of every file is "positive\n", another class to a count and another
# prompt to a cache. In a file with CRLF all values of the last column, and its name, end in "\r".
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save json-2-csv@5.6.0
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { csv2json } from 'json-2-csv';

const lines = ['id,label', 'a,positive', 'b,positive'];
const unix = csv2json(lines.join('\n') + '\n');
const windows = csv2json(lines.join('\r\n') + '\r\n');
console.log('json-2-csv', JSON.parse(readFileSync('node_modules/json-2-csv/package.json')).version);
console.log('LF:  ', JSON.stringify(unix));
console.log('CRLF:', JSON.stringify(windows));
if (unix[1].label !== 'positive\n' || windows[0]['label\r'] !== 'positive\r') throw new Error('line breaks end rows now');
JS
node run.mjs
