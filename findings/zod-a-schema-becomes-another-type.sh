#!/usr/bin/env bash
# Guess: z.fromJSONSchema makes a type that takes what the schema takes, or fails: it does fail for `not`, `if` and `dependentRequired`.
# Fact (zod 4.6.7): a list or an object as `const` or in `enum` is never equal to anything, so every answer is refused; a `required` name without a property, and an
# `anyOf` of required names beside properties, hold for nothing, so answers without the field are taken.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save zod@4.6.7 ajv@8.20.0
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import { z } from 'zod';

const properties = { phone: { type: 'string' }, mail: { type: 'string' } };
const cases = [
  [{ const: ['none'] }, ['none']],
  [{ enum: [{ unit: 'kg' }, { unit: 'g' }] }, { unit: 'kg' }],
  [{ type: 'object', required: ['phone'] }, {}],
  [{ type: 'object', properties, anyOf: [{ required: ['phone'] }, { required: ['mail'] }] }, {}],
];
const ajv = new Ajv.default({ strict: false });
console.log('zod', JSON.parse(readFileSync('node_modules/zod/package.json')).version, 'ajv', JSON.parse(readFileSync('node_modules/ajv/package.json')).version);
const words = taken => (taken ? 'taken' : 'refused');
for (const [schema, answer] of cases) {
  const bySchema = ajv.validate(schema, answer);
  const byType = z.fromJSONSchema(schema).safeParse(answer).success;
  console.log(`${JSON.stringify(schema)} and ${JSON.stringify(answer)}: ${words(bySchema)} by ajv, ${words(byType)} by zod's type`);
  if (bySchema === byType) throw new Error('they agree now');
}
JS
node run.mjs
