#!/usr/bin/env bash
# Guess: `minLength: 2.0` is `minLength: 2`: to JSON Schema (2020-12) a number without a fractional part is an integer, however it is written.
# Fact: xgrammar 0.2.9 and llguidance 1.9.1 refuse the whole schema, outlines-core 0.2.14 ignores the limit, lm-format-enforcer 0.11.3 keeps it.
# (PyTorch has a stand-in: xgrammar imports it and does not need it here.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check --no-deps xgrammar==0.2.9 apache-tvm-ffi==0.1.15.post2 numpy==2.4.6 pydantic==2.14.4 pydantic-core==2.50.5 annotated-types==0.8.0 typing-extensions==4.16.0 typing-inspection==0.4.5 packaging==26.4 tqdm==4.70.1 llguidance==1.9.1 outlines-core==0.2.14 lm-format-enforcer==0.11.3 interegular==0.3.3 pyyaml==6.0.4
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
from lmformatenforcer import JsonSchemaParser

def lmfe(schema, text):
    state = JsonSchemaParser(schema)
    for character in text:
        if character not in state.get_allowed_characters():
            return False
        state = state.add_character(character)
    return state.can_end()

def outcome(accepts, least):
    schema = {"type": "string", "minLength": least, "maxLength": 9}
    try:
        return "kept" if not accepts(schema, '"a"') else "ignored"
    except Exception as error:
        print("  ", str(error).strip().splitlines()[-1][:150])
        return "refused"

expected = {"xgrammar": "refused", "llguidance": "refused", "outlines-core": "ignored", "lm-format-enforcer": "kept"}
for (package, with_float), accepts in zip(expected.items(), [xg, llg, outlines, lmfe]):
    found = outcome(accepts, 2), outcome(accepts, 2.0)
    print(f"{package} {version(package)}: minLength 2 is {found[0]}, minLength 2.0 is {found[1]}")
    assert found == ("kept", with_float), "it is another now"
PY
