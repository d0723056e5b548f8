#!/usr/bin/env bash
# Guess: maxConcurrent: 2 means that at most two requests are in flight.
# Fact (bottleneck 2.19.5): a job that outlives its `expiration` is given up and its place is free, but the request in it runs on. When a server
# gets slow, the number in flight grows without a bound, which makes it slower still, and the late answers are paid and lost.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save bottleneck@2.19.5
cat > run.mjs <<'JS'
import Bottleneck from 'bottleneck';
import { readFileSync } from 'node:fs';

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
let inFlight = 0, most = 0, answers = 0;
const ask = async () => {
  most = Math.max(most, ++inFlight);
  await sleep(1500);
  inFlight--;
  answers++;
};
const limiter = new Bottleneck({ maxConcurrent: 2 });
const results = await Promise.allSettled(Array.from({ length: 10 }, () => limiter.schedule({ expiration: 100 }, ask)));
const got = results.filter(result => result.status === 'fulfilled').length;
await sleep(2000);
console.log('bottleneck', JSON.parse(readFileSync('node_modules/bottleneck/package.json')).version);
console.log(`maxConcurrent 2, expiration 100 ms, requests of 1.5 s: ${most} in flight, ${answers} answered, ${got} values`);
if (!(most > 5 && answers === 10 && got === 0)) throw new Error('expired jobs keep their place now');
JS
node run.mjs
