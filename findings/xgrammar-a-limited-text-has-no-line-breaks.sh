#!/usr/bin/env bash
# Guess: `minLength` and `maxLength` limit the number of characters.
# Fact (xgrammar 0.2.9): they also forbid every escape. A text with `minLength: 1` cannot hold a line break, a quotation mark, a tab or a
# backslash, so a summary is one line, code has no strings, and the answer is valid all the same. Without a limit all of these can be written.
# (PyTorch has a stand-in: xgrammar imports it and does not need it here.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check --no-deps xgrammar==0.2.9 apache-tvm-ffi==0.1.15.post2 numpy==2.4.6 pydantic==2.14.4 pydantic-core==2.50.5 annotated-types==0.8.0 typing-extensions==4.16.0 typing-inspection==0.4.5 packaging==26.4 tqdm==4.70.1
cd "$dir"
mkdir torch transformers
cat > torch/__init__.py <<'PY'
"""xgrammar imports names of PyTorch only, as long as no mask is filled."""
__version__ = "2.5.0"
class Anything:
    def __init__(self, *_, **__): pass
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return Anything()
    def __call__(self, *_, **__): return False
class Tensor: pass
class dtype: pass
class device: pass
int32 = dtype()
def __getattr__(name):
    if name.startswith("__"): raise AttributeError(name)
    return Anything()
PY
cat > transformers/__init__.py <<'PY'
__version__ = "4.50.0"
class PreTrainedTokenizerBase: pass
class PreTrainedTokenizerFast(PreTrainedTokenizerBase): pass
def __getattr__(name):
    if name.startswith("__"): raise AttributeError(name)
    return type(name, (), {})
PY
venv/bin/python - <<'PY'
import json
from importlib.metadata import version

import xgrammar

tokens = [bytes([byte]) for byte in range(256)] + [b"</s>"]
compiler = xgrammar.GrammarCompiler(xgrammar.TokenizerInfo(tokens, stop_token_ids=[256]), cache_enabled=False)

def accepts(schema, value):
    matcher = xgrammar.GrammarMatcher(compiler.compile_json_schema(json.dumps(schema)))
    return matcher.accept_string(json.dumps(value)) and matcher.is_completed()

texts = ["first", "first\nsecond", 'print("x")', "a\tb", "C:\\temp"]
print("xgrammar", version("xgrammar"))
for limit in ({}, {"minLength": 1}, {"maxLength": 500}):
    found = {text: accepts({"type": "string", **limit}, text) for text in texts}
    print(limit or "no limit", found)
    assert list(found.values()) == [True] + [not limit] * 4, "limited texts may hold escapes now"
PY
