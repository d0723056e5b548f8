#!/usr/bin/env bash
# Guess: with a cache, a message that asks the same question about another image is another request.
# Fact (@langchain/core 1.4.0, @langchain/openai 1.5.8, Node): the cache's key is made from the texts of the messages. Images and other parts are not in it: over a
# table of pictures with one prompt, every row after the first gets the first picture's answer. LangChain for Python keeps them apart.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save @langchain/core@1.4.0 @langchain/openai@1.5.8
cat > run.mjs <<'JS'
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { ChatOpenAI } from '@langchain/openai';
import { InMemoryCache } from '@langchain/core/caches';

let calls = 0;
const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', data => { body += data; });
  request.on('end', () => {
    calls++;
    const image = body.match(/base64,(\w+)/)[1];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({
      id: 'x', object: 'chat.completion', created: 1, model: 'm',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: `about ${image}` } }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    }));
  });
}).listen(0, '127.0.0.1');
await new Promise(resolve => server.on('listening', resolve));
const baseURL = `http://127.0.0.1:${server.address().port}`;
const model = new ChatOpenAI({ model: 'm', apiKey: 'none', configuration: { baseURL }, cache: new InMemoryCache() });
const ask = async (text, image) => {
  const content = [{ type: 'text', text }, { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } }];
  return (await model.invoke([{ role: 'user', content }])).content;
};
const answers = [await ask('What is it?', 'CAT'), await ask('What is it?', 'DOG'), await ask('What is it now?', 'DOG')];
for (const name of ['@langchain/core', '@langchain/openai']) console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version);
console.log(`image CAT: "${answers[0]}"; image DOG: "${answers[1]}"; image DOG with another text: "${answers[2]}"; calls: ${calls}`);
if (answers.join() !== 'about CAT,about CAT,about DOG') throw new Error('images are in the key now');
process.exit(0);
JS
node run.mjs 2> log || { cat log; exit 1; }
