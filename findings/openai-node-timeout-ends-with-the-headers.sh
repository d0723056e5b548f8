#!/usr/bin/env bash
# Guess: `timeout: 500` bounds the whole request.
# Fact (openai 6.49.0, Node): only until the response's headers are there. A server or proxy that sends headers at once and the body late, or never
# to its end, is waited for without a limit: one such row holds up the whole run.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save openai@6.49.0
cat > run.mjs <<'JS'
import http from 'node:http';
import OpenAI from 'openai';
import { readFileSync } from 'node:fs';

const body = JSON.stringify({
  id: 'x', object: 'chat.completion', created: 1, model: 'm',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'late' } }],
});
const server = http.createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write(body.slice(0, 10));
  setTimeout(() => response.end(body.slice(10)), 3000);
}).listen(0, '127.0.0.1');
await new Promise(resolve => server.on('listening', resolve));
const client = new OpenAI({ baseURL: `http://127.0.0.1:${server.address().port}/v1`, apiKey: 'none', timeout: 500, maxRetries: 0 });
const begin = performance.now();
const answer = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'x' }] })
  .then(got => got.choices[0].message.content, error => error.constructor.name);
const seconds = (performance.now() - begin) / 1000;
server.close();
console.log('openai', JSON.parse(readFileSync('node_modules/openai/package.json')).version);
console.log(`timeout 0.5 s, body after 3 s: "${answer}" after ${seconds.toFixed(1)} s`);
if (answer !== 'late' || seconds < 2.5) throw new Error('the timeout covers the body now');
process.exit(0);
JS
node run.mjs
