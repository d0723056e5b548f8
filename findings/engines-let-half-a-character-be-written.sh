#!/usr/bin/env bash
# Guess: what a grammar for JSON Schema's `string` lets a model write is text.
# Fact: xgrammar 0.2.9 and lm-format-enforcer 0.11.3 accept half a surrogate pair, "\ud83d". Python reads it and then cannot encode
# the result, so that the row fails when it is written; stricter parsers, such as Rust's serde_json, refuse the answer. llguidance 1.9.1 does not
# let it be written. (PyTorch has a stand-in: xgrammar imports it and does not need it here.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check --no-deps xgrammar==0.2.9 apache-tvm-ffi==0.1.15.post2 numpy==2.4.6 pydantic==2.14.4 pydantic-core==2.50.5 annotated-types==0.8.0 typing-extensions==4.16.0 typing-inspection==0.4.5 packaging==26.4 tqdm==4.70.1 llguidance==1.9.1 lm-format-enforcer==0.11.3 interegular==0.3.3 pyyaml==6.0.4
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
from lmformatenforcer import JsonSchemaParser

def lmfe(schema, text):
    state = JsonSchemaParser(schema)
    for character in text:
        if character not in state.get_allowed_characters():
            return False
        state = state.add_character(character)
    return state.can_end()

half = r'"\ud83d"'
try:
    json.loads(half).encode()
except UnicodeEncodeError as error:
    print("Python:", error)
expected = {"xgrammar": True, "lm-format-enforcer": True, "llguidance": False}
for (package, taken), accepts in zip(expected.items(), [xg, lmfe, llg]):
    found = accepts({"type": "string"}, half)
    print(package, version(package), f"accepts {half}:", found)
    assert found == taken, "it is another now"
PY
