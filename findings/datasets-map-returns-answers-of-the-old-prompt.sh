#!/usr/bin/env bash
# Guess: datasets keys what map() has cached by the function's code, so an edited function runs anew.
# Fact (datasets 5.2.0): true for a function of the script itself. One that is imported from a module is keyed by its name. After an
# edit of the prompt in that module, a new process gets the answers to the old prompt, and nothing says so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check datasets==5.2.0
cd "$dir"
export HF_HOME="$dir/cache" HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1
cat > first.py <<'PY'
import datasets
datasets.disable_progress_bars()
datasets.Dataset.from_dict({"text": ["a", "b"]}).save_to_disk("rows")
PY
cat > run.py <<'PY'
import datasets
import prompts
datasets.disable_progress_bars()
print(datasets.load_from_disk("rows").map(prompts.ask)["answer"][0])
PY
venv/bin/python first.py
printf 'def ask(row):\n    return {"answer": "of the old prompt"}\n' > prompts.py
before=$(venv/bin/python run.py)
printf 'def ask(row):\n    return {"answer": "of the new, better prompt"}\n' > prompts.py
after=$(venv/bin/python run.py)
echo "datasets $(venv/bin/python -c 'import datasets; print(datasets.__version__)')"
echo "first run:                   $before"
echo "after an edit of prompts.py: $after"
[ "$before" = "of the old prompt" ]
[ "$after" = "of the old prompt" ] || { echo "an edited module is noticed now"; exit 1; }
