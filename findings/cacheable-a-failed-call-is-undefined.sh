#!/usr/bin/env bash
# Guess: a function wrapped in a cache fails as it did before: an error of the call reaches the caller and is not cached.
# Fact (cacheable 2.5.0): it is not cached, but does not reach the caller either. wrap() and getOrSet() return undefined and the row looks
# answered; a retry around them never sees the 429. Only an `error` event tells; `throwErrors: true` helps getOrSet() alone.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save cacheable@2.5.0
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Cacheable } from 'cacheable';

const cache = new Cacheable();
const ask = async () => { throw new Error('429 Too Many Requests'); };
const outcome = promise => promise.then(value => `value ${value}`, error => `error ${error.message}`);
const bare = await outcome(ask('row 1'));
const wrapped = await outcome(cache.wrap(ask, { ttl: '1h' })('row 1'));
const set = await outcome(cache.getOrSet('row 1', ask));
console.log('cacheable', JSON.parse(readFileSync('node_modules/cacheable/package.json')).version);
console.log(`without the cache: ${bare}; with wrap: ${wrapped}; with getOrSet: ${set}`);
if (wrapped !== 'value undefined' || set !== 'value undefined') throw new Error('the error reaches the caller now');
JS
node run.mjs
