#!/usr/bin/env bash
# Guess: `cast: true` turns decimal numbers into numbers and leaves every other text, so an address or a hash that begins with 0x stays as it is.
# Fact (csv-parse 7.0.3): it is 0, and so is every other: rows that differ in nothing else are one to a cache or a join. A field passes for a number
# if JavaScript can subtract from it, which hexadecimal allows, and is then read by parseFloat, which stops at the x.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save csv-parse@7.0.3
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';

const file = 'wallet,colour\n0x52908400098527886E0F7030069857D2E4169EE7,0xFF8800\n0xde709f2102306220921060314715629080e2fb77,0x00FF00\n';
const usual = parse(file, { columns: true });
const cast = parse(file, { columns: true, cast: true });
console.log('csv-parse', JSON.parse(readFileSync('node_modules/csv-parse/package.json')).version);
console.log('as usual:  ', JSON.stringify(usual));
console.log('cast: true:', JSON.stringify(cast));
if (!cast.every(row => row.wallet === 0 && row.colour === 0)) throw new Error('they are kept now');
JS
node run.mjs
