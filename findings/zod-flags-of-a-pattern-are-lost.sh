#!/usr/bin/env bash
# Guess: the JSON Schema of z.string().regex(/^(yes|no)$/i) allows what the type allows.
# Fact (zod 4.6.7): JSON Schema has no flags and the `i` is left out without an error. A provider that decodes by the schema can never answer
# "Yes", and a validator at the other end refuses it, though zod itself takes it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save zod@4.6.7
cat > run.mjs <<'JS'
import { z } from 'zod';
import { readFileSync } from 'node:fs';

const type = z.string().regex(/^(yes|no)$/i);
const { pattern } = z.toJSONSchema(type);
const byType = type.safeParse('Yes').success;
const bySchema = new RegExp(pattern, 'u').test('Yes');
console.log('zod', JSON.parse(readFileSync('node_modules/zod/package.json')).version);
console.log(`pattern in the schema: ${pattern}; "Yes" fits the type: ${byType}, the schema: ${bySchema}`);
if (!byType || bySchema) throw new Error('the flag is kept or refused now');
JS
node run.mjs
