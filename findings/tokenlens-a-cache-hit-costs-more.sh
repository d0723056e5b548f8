#!/usr/bin/env bash
# Guess: costFromUsage takes cached tokens at the lower price instead of the full one: a prompt that is mostly cached costs less.
# Fact (tokenlens 1.3.1): it takes them at the lower price *and* at the full one. OpenAI and the AI SDK count cached tokens within the input; a
# cached prompt therefore costs more than the same one without a cache, and a budget by these figures ends a run at a fraction of its money.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save tokenlens@1.3.1
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { costFromUsage } from 'tokenlens';

const cost = usage => costFromUsage({ id: 'openai:gpt-4.1', usage });
const million = 1_000_000;
const plain = cost({ prompt_tokens: million, completion_tokens: 0 });
const cached = cost({ prompt_tokens: million, completion_tokens: 0, prompt_tokens_details: { cached_tokens: 0.9 * million } });
const ofTheSdk = cost({ inputTokens: million, outputTokens: 0, cachedInputTokens: 0.9 * million });
console.log('tokenlens', JSON.parse(readFileSync('node_modules/tokenlens/package.json')).version);
console.log(`a million tokens to gpt-4.1, none cached: $${plain}; 90 % cached, in OpenAI's words: $${cached}, in the AI SDK's: $${ofTheSdk}`);
if (!(cached > plain && ofTheSdk > plain)) throw new Error('cached tokens are counted once now');
JS
node run.mjs
