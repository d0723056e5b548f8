#!/usr/bin/env bash
# Guess: wait_exponential_jitter spreads every wait, so rows that failed together do not come back together.
# Fact (tenacity 9.2.1): the maximum is applied after the jitter. Once the exponential part reaches it, every row waits exactly
# the maximum, and all rows that failed in an outage ask again in the same instant.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check tenacity==9.2.1
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version
from types import SimpleNamespace
from tenacity import wait_exponential_jitter, wait_random_exponential

def different(wait, attempt):
    return len({wait(SimpleNamespace(attempt_number=attempt)) for _ in range(1000)})

wait = wait_exponential_jitter(initial=1, max=60)
counts = [different(wait, attempt) for attempt in range(1, 11)]
print("tenacity", version("tenacity"))
print("wait_exponential_jitter: different waits of 1,000 rows at attempts 1 to 10:", counts)
print("wait_random_exponential at attempt 10:", different(wait_random_exponential(max=60), 10))
assert counts[0] > 900 and counts[6:] == [1, 1, 1, 1], "the waits at the maximum are spread now"
PY
