#!/usr/bin/env bash
# Guess: a prompt template fills in the row's text as it is, in whichever notation it is written; LangChain for Node does.
# Fact (langchain-core 1.8.3, Python): with template_format="mustache" the text is written for HTML: & < > and " are &amp; &lt; &gt; and &quot;. The model reads other
# text than the row has, quotes it so in its answers, and every mark costs tokens. With three braces it is whole.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check langchain-core==1.8.3
cd "$dir"
npm install --silent --no-audit --no-fund --no-save @langchain/core@1.4.0
venv/bin/python - <<'PY'
from importlib.metadata import version
from langchain_core.prompts import PromptTemplate

text = 'AT&T: "price < 5"'
two, three = (PromptTemplate.from_template(template, template_format="mustache").format(text=text) for template in ("{{text}}", "{{{text}}}"))
print("langchain-core", version("langchain-core"))
print("two braces:", two)
print("three braces:", three)
assert two == "AT&amp;T: &quot;price &lt; 5&quot;" and three == text, "the text is whole now"
PY
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { PromptTemplate } from '@langchain/core/prompts';

const text = 'AT&T: "price < 5"';
const filled = await PromptTemplate.fromTemplate('{{text}}', { templateFormat: 'mustache' }).format({ text });
console.log('@langchain/core', JSON.parse(readFileSync('node_modules/@langchain/core/package.json')).version, 'for Node:', filled);
if (filled !== text) throw new Error('Node does the same now');
JS
node run.mjs
