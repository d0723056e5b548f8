#!/usr/bin/env bash
# Guess: memoize asks once about equal arguments.
# Fact (diskcache 5.6.3): the key is the pickle, which depends on which texts are one object in memory. Messages written in code and equal ones
# read from a file have other keys, so after a restart that takes its rows from a file every row is asked about again. joblib knows them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check diskcache==5.6.3 joblib==1.6.0
cd "$dir"
venv/bin/python - <<'PY'
import json
from importlib.metadata import version

import diskcache
import joblib

asked = []

def ask(messages):
    asked.append(messages)
    return "answer"

written = [{"role": "user", "content": "Is it red?"}, {"role": "assistant", "content": "No."}, {"role": "user", "content": "Is it blue?"}]
read = json.loads(json.dumps(written))
assert read == written
print("diskcache", version("diskcache"), "joblib", version("joblib"))
for name, cached in [("diskcache", diskcache.Cache("disk").memoize()(ask)), ("joblib", joblib.Memory("job", verbose=0).cache(ask))]:
    asked.clear()
    for messages in (written, read, written, read):
        cached(messages)
    print(f"{name}: asked {len(asked)} times about equal messages")
    assert len(asked) == (2 if name == "diskcache" else 1), "equal messages have other keys now"
PY
