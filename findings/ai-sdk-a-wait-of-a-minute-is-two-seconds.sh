#!/usr/bin/env bash
# Guess: after a 429 with `Retry-After: 60` the AI SDK waits a minute or gives the row up at once.
# Fact (ai 6.0.326): from 60 s on the header is ignored and the usual waits of 2 and 4 s take its place: the longer a server asks to be left alone, the
# sooner it is asked, and all three attempts are gone in six seconds. Limits by the minute say 60. The clients of OpenAI and Anthropic wait.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save ai@6.0.326 @ai-sdk/openai@3.0.141
cat > run.mjs <<'JS'
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText } from 'ai';

const outcome = async seconds => {
  const times = [];
  const server = http.createServer((request, response) => {
    times.push(performance.now());
    request.resume();
    response.writeHead(429, { 'content-type': 'application/json', 'retry-after': String(seconds) });
    response.end('{"error": {"message": "too many requests in this minute", "type": "requests"}}');
  }).listen(0, '127.0.0.1');
  await new Promise(resolve => server.on('listening', resolve));
  const openai = createOpenAI({ apiKey: 'none', baseURL: `http://127.0.0.1:${server.address().port}` });
  const failed = generateText({ model: openai.chat('m'), prompt: 'row 1' }).catch(() => 'failed');
  const state = await Promise.race([failed, new Promise(resolve => setTimeout(() => resolve('still waiting'), 12000))]);
  return { state, waits: times.slice(1).map((time, n) => ((time - times[n]) / 1000).toFixed(1)) };
};
const [short, long] = await Promise.all([outcome(59), outcome(60)]);
console.log('ai', JSON.parse(readFileSync('node_modules/ai/package.json')).version);
console.log(`Retry-After: 59: after 12 s ${short.state}; Retry-After: 60: ${long.state} after waits of ${long.waits.join(' and ')} s`);
if (short.state !== 'still waiting' || long.state !== 'failed' || !(long.waits[0] < 5)) throw new Error('a long wait is kept or refused now');
process.exit(0);
JS
node run.mjs
