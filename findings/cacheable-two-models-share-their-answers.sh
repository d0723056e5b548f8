#!/usr/bin/env bash
# Guess: two functions wrapped one by one have each their own entries; different functions on the same row do.
# Fact (cacheable 2.5.0): functions are told apart by their source text. Two that one factory made, such as one for each model or prompt, are the same
# to it, and the second gets the first's answers. With a `keyPrefix` for each they are apart.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save cacheable@2.5.0
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Cacheable } from 'cacheable';

const cache = new Cacheable();
let calls = 0;
const asker = (model, options) => cache.wrap(async row => { calls++; return `${model} on ${row}`; }, { ttl: '1h', ...options });
const [small, large] = [asker('small'), asker('large')];
const answers = [await small('row 1'), await large('row 1')];
const named = await asker('large', { keyPrefix: 'large' })('row 1');
console.log('cacheable', JSON.parse(readFileSync('node_modules/cacheable/package.json')).version);
console.log(`small: "${answers[0]}", large: "${answers[1]}", large with a keyPrefix: "${named}", calls: ${calls}`);
if (answers[1] !== 'small on row 1' || named !== 'large on row 1') throw new Error('the functions are told apart now');
JS
node run.mjs
