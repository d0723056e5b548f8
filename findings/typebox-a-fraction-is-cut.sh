#!/usr/bin/env bash
# Guess: Value.Parse refuses 4.9 for an integer, as Value.Check does, and as parse does in zod.
# Fact (@sinclair/typebox 0.34.52): it is 4. Parse converts before it checks: fractions are cut, true is 1, and the year "2024" as a date is two seconds after 1970.
# A score that the model got wrong is another score and is never asked again. The package `typebox` (1.4.3), its successor, refuses them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save @sinclair/typebox@0.34.52 typebox@1.4.3
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import Next from 'typebox';
import NextValue from 'typebox/value';

const outcome = (values, type, answer) => {
  try { return JSON.stringify(values.Parse(type, answer)); } catch { return 'refused'; }
};
const of = name => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;
console.log('@sinclair/typebox', of('@sinclair/typebox'), 'typebox', of('typebox'));
const score = Type.Object({ score: Type.Integer({ minimum: 1, maximum: 5 }) });
const cut = outcome(Value, score, { score: 4.9 });
const checked = Value.Check(score, { score: 4.9 });
const flag = outcome(Value, score, { score: true });
const year = outcome(Value, Type.Date(), '2024');
const next = outcome(NextValue, Next.Object({ score: Next.Integer() }), { score: 4.9 });
console.log(`score 4.9: Parse ${cut}, Check ${checked}, typebox's Parse ${next}; score true: ${flag}; date "2024": ${year}`);
if (cut !== '{"score":4}' || checked || flag !== '{"score":1}' || !year.includes('1970') || next !== 'refused') throw new Error('Parse has changed');
JS
node run.mjs
