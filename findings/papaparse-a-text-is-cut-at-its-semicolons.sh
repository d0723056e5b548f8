#!/usr/bin/env bash
# Guess: a CSV file with one column of text is read by Papa Parse as one column; there is no comma in it that could divide anything.
# Fact (papaparse 5.7.1): where no comma stands, it takes the delimiter from the texts. If each has as many semicolons, tabs or bars, they are
# cut there and the prompt gets what stands before the first. What follows is in __parsed_extra. With `delimiter: ','` the texts are whole.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save papaparse@5.7.1
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import Papa from 'papaparse';

const file = 'text\nGood food; slow service; will return\nClean rooms; loud street; not again\n';
const read = options => Papa.parse(file, { header: true, skipEmptyLines: true, ...options }).data.map(row => row.text);
const usual = read({});
const named = read({ delimiter: ',' });
console.log('papaparse', JSON.parse(readFileSync('node_modules/papaparse/package.json')).version);
console.log('as usual:     ', usual);
console.log("delimiter ',':", named);
if (usual[0] !== 'Good food' || named[0] !== 'Good food; slow service; will return') throw new Error('the texts are whole now');
JS
node run.mjs
