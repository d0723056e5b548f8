#!/usr/bin/env bash
# Guess: zodResponseFormat describes what the type takes, since the model's answer is what it will be given.
# Fact (openai 6.49.0 with zod 4.6.7): it describes what comes *out* of the type. z.stringbool() asks for true or false and takes "yes" or "no" only; a text that is
# piped into a number asks for a number and takes a text only. Every answer that keeps to the schema is paid and refused.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save openai@6.49.0 zod@4.6.7
cat > run.mjs <<'JS'
import http from 'node:http';
import { readFileSync } from 'node:fs';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

let text, asked;
const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', data => { body += data; });
  request.on('end', () => {
    asked = JSON.stringify(JSON.parse(body).response_format.json_schema.schema.properties);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({
      id: 'x', object: 'chat.completion', created: 1, model: 'm',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: text } }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    }));
  });
}).listen(0, '127.0.0.1');
await new Promise(resolve => server.on('listening', resolve));
const openai = new OpenAI({ apiKey: 'none', baseURL: `http://127.0.0.1:${server.address().port}` });
const outcome = async (type, answer) => {
  text = JSON.stringify(answer);
  const got = await openai.chat.completions
    .parse({ model: 'm', messages: [{ role: 'user', content: 'row 1' }], response_format: zodResponseFormat(type, 'row') })
    .then(({ choices }) => JSON.stringify(choices[0].message.parsed), () => 'refused');
  console.log(`asked for ${asked}, answered ${text}: ${got}`);
  return got;
};
for (const name of ['openai', 'zod']) console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version);
const valid = z.object({ valid: z.stringbool() });
const price = z.object({ price: z.string().transform(Number).pipe(z.number()) });
const refused = [await outcome(valid, { valid: true }), await outcome(price, { price: 12.5 })];
const taken = [await outcome(valid, { valid: 'yes' }), await outcome(price, { price: '12.5' })];
if (refused.join() !== 'refused,refused' || taken.includes('refused')) throw new Error('it asks for what the type takes now');
process.exit(0);
JS
node run.mjs
