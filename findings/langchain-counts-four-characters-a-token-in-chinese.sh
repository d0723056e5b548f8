#!/usr/bin/env bash
# Guess: count_tokens_approximately is off by some tens of percent.
# Fact (langchain-core 1.8.3): it is a quarter of the characters in any script. In Chinese, where a character is about a token, it finds a
# quarter of the tokens of cl100k_base (below, as litellm has it) and a third of those of o200k_base (gpt-tokenizer 4.0.0: 1,000), so a limit
# kept by it is exceeded three to four times.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check langchain-core==1.8.3 tiktoken==0.14.0 litellm==1.110.2
cd "$dir"
venv/bin/python - <<'PY'
import os
from importlib.metadata import version
from langchain_core.messages import HumanMessage
from langchain_core.messages.utils import count_tokens_approximately

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm

text = "合同自双方签字之日起生效。" * 100
approximate = count_tokens_approximately([HumanMessage(text)])
counted = litellm.token_counter(model="gpt-4", text=text)
print("langchain-core", version("langchain-core"))
print(f"{len(text)} characters: {approximate} tokens by the approximation, {counted} by cl100k_base")
assert counted > 3 * approximate, "the approximation knows Chinese now"
PY
