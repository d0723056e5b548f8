#!/usr/bin/env bash
# Guess: generateObject of the AI SDK brings the schema to the model, in response_format or in the prompt.
# Fact (ai 6.0.326 with @ai-sdk/openai-compatible 2.0.92, the way to local servers): unless the provider is made with supportsStructuredOutputs: true,
# the request has {"type": "json_object"} and the schema is nowhere in it, only a warning is logged. The model has to guess the fields, and
# row after row is paid and fails by the schema that was never sent.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save ai@6.0.326 @ai-sdk/openai-compatible@2.0.92 zod@4.6.7
cat > run.mjs <<'JS'
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateObject } from 'ai';
import { z } from 'zod';

globalThis.AI_SDK_LOG_WARNINGS = false;
const sent = [];
const answer = JSON.stringify({
  id: 'x', object: 'chat.completion', created: 1, model: 'm',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: '{"occupation": "nurse"}' } }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});
const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', data => { body += data; });
  request.on('end', () => {
    sent.push(body);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(answer);
  });
}).listen(0, '127.0.0.1');
await new Promise(resolve => server.on('listening', resolve));
for (const options of [{}, { supportsStructuredOutputs: true }]) {
  const provider = createOpenAICompatible({ name: 'local', baseURL: `http://127.0.0.1:${server.address().port}/v1`, ...options });
  await generateObject({ model: provider('m'), schema: z.object({ occupation: z.string() }), prompt: 'Ann Lee is a nurse' });
}
const [ai, compatible] = ['ai', '@ai-sdk/openai-compatible'].map(name => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version);
console.log('ai', ai, '@ai-sdk/openai-compatible', compatible);
console.log('as usual:                      ', sent[0]);
console.log('with supportsStructuredOutputs:', sent[1].slice(0, 120), '…');
if (sent[0].includes('occupation') || !sent[1].includes('occupation')) throw new Error('the schema is sent now');
process.exit(0);
JS
node run.mjs
