#!/usr/bin/env bash
# Guess: `minimum` and `maximum` say which numbers are allowed, not how they are written.
# Fact (xgrammar 0.2.9): a `number` with a bound has six decimals at most and no exponent. A probability of 1e-7 or 0.0000001 can only be written
# as 0.0, and a longitude of 13.4049549 loses its last digit. Without a bound both can be written.
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

def accepts(schema, text):
    matcher = xgrammar.GrammarMatcher(compiler.compile_json_schema(json.dumps(schema)))
    return matcher.accept_string(text) and matcher.is_completed()

numbers = ["0.000001", "0.0000001", "1e-7", "13.404954", "13.4049549"]
print("xgrammar", version("xgrammar"))
for bounds in ({}, {"minimum": 0}, {"maximum": 180}, {"minimum": -180, "maximum": 180}):
    found = {text: accepts({"type": "number", **bounds}, text) for text in numbers}
    print(bounds or "no bound", found)
    free = not bounds
    assert list(found.values()) == [True, free, free, True, free], "numbers with a bound have other digits now"
PY
