#!/usr/bin/env bash
# Guess: a model that must answer the constant 0.0000001 may write it in any spelling of that number, or at least as the schema has it.
# Fact: there is exactly one spelling, and each engine has another: xgrammar 0.2.9 takes 1e-07 only, llguidance 1.9.1 0.0000001,
# outlines-core 0.2.14 1e-7. What is compared as text, such as examples in a prompt or cached answers, differs by engine.
# (PyTorch has a stand-in: xgrammar imports it and does not need it here.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check --no-deps xgrammar==0.2.9 apache-tvm-ffi==0.1.15.post2 numpy==2.4.6 pydantic==2.14.4 pydantic-core==2.50.5 annotated-types==0.8.0 typing-extensions==4.16.0 typing-inspection==0.4.5 packaging==26.4 tqdm==4.70.1 llguidance==1.9.1 outlines-core==0.2.14
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

tokens = [chr(code) for code in range(32, 127)] + ["</s>"]
compiler = xgrammar.GrammarCompiler(xgrammar.TokenizerInfo(tokens, stop_token_ids=[len(tokens) - 1]))

def xg(schema, text):
    matcher = xgrammar.GrammarMatcher(compiler.compile_json_schema(json.dumps(schema)))
    return matcher.accept_string(text) and matcher.is_completed()
import llguidance

tokenizer = llguidance.LLTokenizer("byte")

def llg(schema, text):
    grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema))
    matcher = llguidance.LLMatcher(tokenizer, grammar, log_level=0)
    if matcher.is_error():
        raise ValueError(matcher.get_error())
    written = list(text.encode())
    return matcher.try_consume_tokens(written) == len(written) and matcher.is_accepting()
import re
from outlines_core.json_schema import build_regex_from_schema

def outlines(schema, text):
    return re.fullmatch(build_regex_from_schema(json.dumps(schema)), text) is not None

spellings = ["1e-7", "1e-07", "0.0000001"]
expected = {"xgrammar": ["1e-07"], "llguidance": ["0.0000001"], "outlines-core": ["1e-7"]}
for (package, taken), accepts in zip(expected.items(), [xg, llg, outlines]):
    found = [spelling for spelling in spellings if accepts({"const": 1e-7}, spelling)]
    print(package, version(package), "takes", found, "of", spellings)
    assert found == taken, "the spelling has changed"
PY
