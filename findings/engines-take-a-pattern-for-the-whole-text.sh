#!/usr/bin/env bash
# Guess: `pattern` is searched for anywhere in a text, as JSON Schema says: `[0-9]{3}` accepts "D-123".
# Fact: xgrammar 0.2.9, outlines-core 0.2.14 and lm-format-enforcer 0.11.3 take it for the whole text. "D-123" cannot be written, and a model
# that should copy it writes "123", which the schema accepts as well. llguidance 1.9.1 searches.
# (PyTorch has a stand-in: xgrammar imports it and does not need it here.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check --no-deps xgrammar==0.2.9 apache-tvm-ffi==0.1.15.post2 numpy==2.4.6 pydantic==2.14.4 pydantic-core==2.50.5 annotated-types==0.8.0 typing-extensions==4.16.0 typing-inspection==0.4.5 packaging==26.4 tqdm==4.70.1 llguidance==1.9.1 lm-format-enforcer==0.11.3 interegular==0.3.3 pyyaml==6.0.4 outlines-core==0.2.14
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
import re
from importlib.metadata import version

import llguidance
import xgrammar
from lmformatenforcer import JsonSchemaParser
from outlines_core.json_schema import build_regex_from_schema

def in_xgrammar(schema, text):
    tokens = [chr(code) for code in range(32, 127)] + ["</s>"]
    tokenizer = xgrammar.TokenizerInfo(tokens, stop_token_ids=[len(tokens) - 1])
    grammar = xgrammar.GrammarCompiler(tokenizer, cache_enabled=False).compile_json_schema(schema)
    matcher = xgrammar.GrammarMatcher(grammar)
    return matcher.accept_string(text) and matcher.is_completed()

def in_llguidance(schema, text):
    matcher = llguidance.LLMatcher(llguidance.LLTokenizer("byte"), llguidance.LLMatcher.grammar_from_json_schema(schema), log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    return matcher.try_consume_tokens(list(text.encode())) == len(text.encode()) and matcher.is_accepting()

def in_outlines_core(schema, text):
    return re.fullmatch(build_regex_from_schema(schema), text) is not None

def in_lm_format_enforcer(schema, text):
    parser = JsonSchemaParser(json.loads(schema))
    for character in text:
        if character not in parser.get_allowed_characters():
            return False
        parser = parser.add_character(character)
    return parser.can_end()

engines = {"xgrammar": in_xgrammar, "llguidance": in_llguidance, "outlines-core": in_outlines_core, "lm-format-enforcer": in_lm_format_enforcer}
schema = json.dumps({"type": "string", "pattern": "[0-9]{3}"})
for package, accepts in engines.items():
    found = {text: accepts(schema, json.dumps(text)) for text in ("123", "D-123")}
    print(package, version(package), found)
    assert found == {"123": True, "D-123": package == "llguidance"}, "the pattern is searched for now"
PY
