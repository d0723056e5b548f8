#!/usr/bin/env bash
# Guess: a parser for streams of JSON that meets something it cannot read, such as 1,250 for a number, leaves the value out or fails.
# Fact (best-effort-json-parser 1.5.1): it keeps what it could read and takes the rest for the next field. {"total": 1,250} is a total of 1,
# as is 1_250, and 0x1F is 0. A notice goes to the console, not to the caller.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save best-effort-json-parser@1.5.1
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import * as parser from 'best-effort-json-parser';

const texts = ['1250', '1,250', '1_250', '0x1F'];
const totals = texts.map(text => parser.parse(`{"total": ${text}}`).total);
console.log('best-effort-json-parser', JSON.parse(readFileSync('node_modules/best-effort-json-parser/package.json')).version);
console.log(texts.map((text, n) => `${text} -> ${totals[n]}`).join(', '));
if (totals.join() !== '1250,1,1,0') throw new Error('such numbers are read in another way now');
JS
node run.mjs
