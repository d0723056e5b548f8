#!/usr/bin/env bash
# Guess: true and false are written as true and false, as JSON has them, or as 1 and 0.
# Fact (csv-stringify 6.9.0): true is 1 and false is an empty cell, the same as null: a row that the model answered with "no" cannot be told from one
# that it did not answer, and is asked again or counted as missing.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save csv-stringify@6.9.0
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { stringify } from 'csv-stringify/sync';

const text = stringify([{ id: 1, spam: true }, { id: 2, spam: false }, { id: 3, spam: null }], { header: true });
console.log('csv-stringify', JSON.parse(readFileSync('node_modules/csv-stringify/package.json')).version);
console.log('answers true, false and null:');
console.log(text);
if (text !== 'id,spam\n1,1\n2,\n3,\n') throw new Error('false is written otherwise now');
JS
node run.mjs
