#!/usr/bin/env bash
# Guess: instructor for Node works with the zod that npm installs beside it, or refuses it: its peer dependency is zod ">=3.23.8".
# Fact (@instructor-ai/instructor 1.7.0 with zod 4.6.7): the tool's parameters are {}: no field, no type and no limit reaches the model. Answers are checked by zod
# all the same, so the fields it cannot know decide; and `max_retries` never asks again. With zod 3.25.76 both are right.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
for zod in 4.6.7 3.25.76; do
  mkdir $zod
  npm install --silent --no-audit --no-fund --no-save --prefix $zod @instructor-ai/instructor@1.7.0 openai@6.49.0 zod@$zod
  cat > $zod/run.mjs <<'JS'
import http from 'node:http';
import { readFileSync } from 'node:fs';
import Instructor from '@instructor-ai/instructor';
import OpenAI from 'openai';
import { z } from 'zod';

const sent = [];
const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', data => { body += data; });
  request.on('end', () => {
    sent.push(JSON.parse(body));
    const call = { id: 'c', type: 'function', function: { name: 'Rating', arguments: '{"score": 9}' } };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({
      id: 'x', object: 'chat.completion', created: 1, model: 'm',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: null, tool_calls: [call] } }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    }));
  });
}).listen(0, '127.0.0.1');
await new Promise(resolve => server.on('listening', resolve));
const openai = new OpenAI({ apiKey: 'none', baseURL: `http://127.0.0.1:${server.address().port}` });
const client = (Instructor.default ?? Instructor)({ client: openai, mode: 'TOOLS' });
const schema = z.object({ score: z.number().min(1).max(5) });
await client.chat.completions
  .create({ model: 'm', messages: [{ role: 'user', content: 'row 1' }], response_model: { name: 'Rating', schema }, max_retries: 2 })
  .catch(() => {});
const of = name => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
const parameters = JSON.stringify(sent[0].tools[0].function.parameters);
console.log('@instructor-ai/instructor', of('@instructor-ai/instructor'), 'zod', of('zod'), 'parameters:', parameters, 'calls with max_retries 2:', sent.length);
const empty = of('zod').startsWith('4.');
if ((parameters === '{}') !== empty || sent.length !== (empty ? 1 : 3)) throw new Error('the parameters or the number of calls have changed');
process.exit(0);
JS
  node $zod/run.mjs 2> log || { cat log; exit 1; }
done
