#!/usr/bin/env bash
# Guess: p-queue with { interval: 1000, intervalCap: 10 } starts at most 10 requests in a second, or 20 about the end of an interval.
# Fact (p-queue 9.3.5): sometimes three intervals' worth or more, 29 and even 35 within 300 ms. The timer that ends an interval may fire a
# fraction of a millisecond early, and then a further interval begins at once. It takes a few tries to see it. With `strict: true` it is
# 10 in any second.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save p-queue@9.3.5
cat > run.mjs <<'JS'
import PQueue from 'p-queue';
import { readFileSync } from 'node:fs';

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
const worst = async (quiet, options) => {
  const queue = new PQueue({ interval: 1000, intervalCap: 10, ...options });
  const starts = [];
  const ask = () => starts.push(performance.now());
  queue.add(ask);
  await sleep(quiet);
  for (let row = 0; row < 35; row++) queue.add(ask).catch(() => {});
  await sleep(1300 - quiet);
  queue.clear();
  return Math.max(...starts.map(a => starts.filter(b => b >= a && b < a + 300).length));
};
const tries = [];
for (let n = 0; n < 40 && !(tries.at(-1) > 20); n++) tries.push(await worst(950 + (n % 5) * 10, {}));
const strict = await worst(990, { strict: true });
console.log('p-queue', JSON.parse(readFileSync('node_modules/p-queue/package.json')).version);
console.log(`10 a second; most starts within 0.3 s, try by try: ${tries.join(' ')}; with strict: ${strict}`);
if (!(tries.at(-1) > 20 && strict <= 10)) throw new Error('the number of starts has changed');
JS
node run.mjs
