#!/usr/bin/env bash
# Guess: the limits of the schema (1 to 5, three capital letters, one to three tags, numbers as values) reach Gemini, whose API takes all of them.
# Fact (@ai-sdk/google 3.0.141): every one is dropped, and the type of a map's values with them; numbers of a choice become texts. There is no
# warning. The same schema checks the answer afterwards, so the row is paid and fails by limits that the model never saw.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save ai@6.0.326 @ai-sdk/google@3.0.141 zod@4.6.7
cat > run.mjs <<'JS'
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { generateObject } from 'ai';
import { z } from 'zod';

let sent;
const text = JSON.stringify({ score: 4, code: 'ABC', tags: ['x'], prices: { x: 1 }, grade: 2 });
const answer = JSON.stringify({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
});
const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', data => { body += data; });
  request.on('end', () => {
    sent = JSON.parse(body).generationConfig.responseSchema.properties;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(answer);
  });
}).listen(0, '127.0.0.1');
await new Promise(resolve => server.on('listening', resolve));
const google = createGoogleGenerativeAI({ apiKey: 'none', baseURL: `http://127.0.0.1:${server.address().port}` });
const schema = z.object({
  score: z.number().int().min(1).max(5),
  code: z.string().regex(/^[A-Z]{3}$/),
  tags: z.array(z.string()).min(1).max(3),
  prices: z.record(z.string(), z.number()),
  grade: z.literal([1, 2, 3]),
});
const { warnings } = await generateObject({ model: google('gemini-2.5-flash'), schema, prompt: 'row 1' });
console.log('@ai-sdk/google', JSON.parse(readFileSync('node_modules/@ai-sdk/google/package.json')).version, 'warnings:', warnings ?? 'none');
const wanted = z.toJSONSchema(schema).properties;
for (const name of Object.keys(wanted)) console.log(`${name}: ${JSON.stringify(wanted[name])}\n   sent: ${JSON.stringify(sent[name])}`);
if (/minimum|maximum|pattern|minItems|maxItems|additionalProperties/.test(JSON.stringify(sent))) throw new Error('limits are sent now');
if (JSON.stringify(sent.grade.enum) !== '["1","2","3"]' || warnings?.length) throw new Error('the choice or the warnings have changed');
process.exit(0);
JS
node run.mjs
