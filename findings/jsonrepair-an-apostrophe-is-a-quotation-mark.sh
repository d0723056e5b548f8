#!/usr/bin/env bash
# Guess: an answer in Python's notation with an apostrophe in a text, {'name': 'O'Brien'}, is repaired to O'Brien or is an error.
# Fact (jsonrepair 3.15.0): it is O"Brien. The apostrophe is taken for a quotation mark that was not escaped, and written as one. Names and reviews are other texts
# than the model wrote, without a sign that they are.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save jsonrepair@3.15.0
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { jsonrepair } from 'jsonrepair';

const answer = "{'name': 'O'Brien', 'review': 'Didn't like it', 'score': 2}";
const repaired = jsonrepair(answer);
console.log('jsonrepair', JSON.parse(readFileSync('node_modules/jsonrepair/package.json')).version);
console.log(answer, '→', repaired);
if (JSON.parse(repaired).name !== 'O"Brien') throw new Error('the apostrophe is kept or refused now');
JS
node run.mjs
