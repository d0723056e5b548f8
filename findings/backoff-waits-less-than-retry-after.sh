#!/usr/bin/env bash
# Guess: backoff.runtime with a value taken from Retry-After waits that long.
# Fact (backoff 2.2.1): jitter is on unless it is switched off, and it is full jitter, so the wait is anything between 0
# and what the server asked for. Half of the rows come back before half the time is over and are refused again.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check backoff==2.2.1
cd "$dir"
venv/bin/python - <<'PY'
import random
from importlib.metadata import version
from unittest import mock
import backoff

class Refused(Exception):
    retry_after = 20

def waits(**options):
    seen = []
    for _ in range(200):
        calls = []

        @backoff.on_exception(
            backoff.runtime, Refused, value=lambda refused: refused.retry_after, max_tries=2,
            on_backoff=lambda details: seen.append(details["wait"]), **options)
        def ask():
            calls.append(1)
            if len(calls) == 1:
                raise Refused

        ask()
    return seen

random.seed(1)
with mock.patch("time.sleep"):
    usual, without = waits(), waits(jitter=None)
early = sum(wait < 20 for wait in usual)
print("backoff", version("backoff"))
print(f"Retry-After 20 s: {early} of {len(usual)} waits are shorter, the shortest {min(usual):.2f} s")
print(f"with jitter=None: shortest {min(without)} s")
assert early > 190 and min(usual) < 5, "waits are no longer cut by jitter"
assert set(without) == {20}
PY
