#!/usr/bin/env bash
# Guess: a request that a limiter refuses leaves the limit as it was.
# Fact (limits 5.8.0, throttled-py 3.5.0): a fixed window counts the tokens of a refused request. After one
# row too large for the rest, small rows that would fit are refused until the window ends. A moving window or a token bucket leaves the rest.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check limits==5.8.0 throttled-py==3.5.0
cd "$dir"
venv/bin/python - <<'PY'
import time
from importlib.metadata import version

from limits import parse, storage, strategies
from throttled import Throttled, rate_limiter, store

def in_limits(strategy):
    limiter, limit = strategy(storage.MemoryStorage()), parse("1000/hour")
    return lambda tokens: limiter.hit(limit, "tokens", cost=tokens)

def in_throttled(algorithm):
    throttle = Throttled(using=algorithm, quota=rate_limiter.per_hour(1000), store=store.MemoryStore())
    return lambda tokens: not throttle.limit("tokens", cost=tokens).limited

if time.time() % 3600 > 3590:  # A fixed window begins with the hour.
    time.sleep(11)
print("limits", version("limits"), "throttled-py", version("throttled-py"), "1000 tokens an hour")
for name, takes, rest_is_lost in [
    ("limits fixed window", in_limits(strategies.FixedWindowRateLimiter), True),
    ("limits moving window", in_limits(strategies.MovingWindowRateLimiter), False),
    ("throttled-py fixed_window", in_throttled("fixed_window"), True),
    ("throttled-py token_bucket", in_throttled("token_bucket"), False),
]:
    found = [takes(600), takes(500), takes(100)]
    print(f"{name}: 600 {found[0]}, then 500 {found[1]}, then 100 {found[2]}")
    assert found == [True, False, not rest_is_lost], "refused requests are counted in another way"
PY
