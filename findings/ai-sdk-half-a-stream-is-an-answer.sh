#!/usr/bin/env bash
# Guess: a stream that ends before the model has finished, as when a proxy's time is up, is an error, as it is with openai's own stream().
# Fact (ai 6.0.326): `await streamText(…).text` is what had come by then: "The price is 12" of "The price is 12,500". No error, no warning and no call of
# onError; the one sign is the finish reason "other".
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save ai@6.0.326 @ai-sdk/openai@3.0.141 openai@6.49.0
cat > run.mjs <<'JS'
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { createOpenAI } from '@ai-sdk/openai';
import { streamText } from 'ai';
import OpenAI from 'openai';

const server = http.createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const content of ['The price ', 'is 12']) {
    const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }];
    response.write(`data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`);
  }
  response.end();
}).listen(0, '127.0.0.1');
await new Promise(resolve => server.on('listening', resolve));
const baseURL = `http://127.0.0.1:${server.address().port}`;
let errors = 0;
const answer = streamText({ model: createOpenAI({ apiKey: 'none', baseURL }).chat('m'), prompt: 'row 1', onError: () => { errors++; } });
const [text, reason, warnings] = [await answer.text, await answer.finishReason, await answer.warnings];
const own = await new OpenAI({ apiKey: 'none', baseURL }).chat.completions
  .stream({ model: 'm', messages: [{ role: 'user', content: 'row 1' }] })
  .finalContent()
  .catch(error => error.message);
for (const name of ['ai', 'openai']) console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version);
console.log(`streamText: "${text}", finish reason "${reason}", errors ${errors}, warnings ${warnings?.length ?? 0}; openai's stream(): error "${own}"`);
if (text !== 'The price is 12' || reason !== 'other' || errors || warnings?.length) throw new Error('half a stream is told now');
process.exit(0);
JS
node run.mjs
