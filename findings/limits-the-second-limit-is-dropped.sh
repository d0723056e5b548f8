#!/usr/bin/env bash
# Guess: a text that names two limits gives both or is refused, as one that cannot be read is.
# Fact (limits 5.8.0): parse reads "100/minute; 5/second" as 100 a minute and drops the rest without an error. 60 requests start in the first
# second and the provider refuses most of them. parse_many reads both.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check limits==5.8.0
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version

from limits import parse, parse_many, storage, strategies

text = "100/minute; 5/second"
one, both = parse(text), parse_many(text)
limiter = strategies.MovingWindowRateLimiter(storage.MemoryStorage())
started = sum(limiter.hit(one, "model") for _ in range(60))
print("limits", version("limits"))
print(f"{text!r}: parse gives {one}, parse_many {both}")
print("requests that parse's limit lets start at once:", started)
assert (str(one), len(both), started) == ("100 per 1 minute", 2, 60), "the second limit is no longer dropped"
try:
    parse("100/minute/second")
    raise SystemExit("other texts are read now")
except ValueError as error:
    print("an unreadable text:", error)
PY
