#!/usr/bin/env bash
# Guess: try_acquire("model-a") and try_acquire("model-b") are counted apart, as the first argument names the item.
# Fact (pyrate-limiter 4.5.1): a Limiter made of rates has one bucket for all names. One model's requests use up the other's, and a weight
# above the limit is refused like a full bucket, so a row that can never pass looks like one that has to wait.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pyrate-limiter==4.5.1
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version
from pyrate_limiter import Duration, Limiter, Rate

limiter = Limiter(Rate(5, Duration.MINUTE))
first = [limiter.try_acquire("model-a", blocking=False) for _ in range(5)]
second = limiter.try_acquire("model-b", blocking=False)
heavy = Limiter(Rate(5, Duration.MINUTE)).try_acquire("model-a", weight=6, blocking=False)
print("pyrate-limiter", version("pyrate-limiter"))
print("5 a minute: model-a", first, "model-b", second)
print("weight 6 in an empty bucket of 5:", heavy)
assert all(first) and second is False and heavy is False, "names have limits of their own now"
PY
