#!/usr/bin/env bash
# Guess: aiolimiter serves in the order of asking, so a row with many tokens waits its turn and then goes.
# Fact (aiolimiter 1.3.0): waiters are woken as soon as their own amount fits. A steady flow of small requests keeps the
# bucket from ever having room for a large one, which is served only when the flow ends.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check aiolimiter==1.3.0
cd "$dir"
venv/bin/python - <<'PY'
import asyncio
from importlib.metadata import version
from aiolimiter import AsyncLimiter

SMALL = 60

async def main():
    limiter = AsyncLimiter(100, 1.0)  # 100 tokens a second
    served = []
    await limiter.acquire(100)

    async def row(name, tokens):
        await limiter.acquire(tokens)
        served.append(name)

    large = asyncio.create_task(row("large", 90))
    await asyncio.sleep(0.01)
    small = []
    for number in range(SMALL):
        small.append(asyncio.create_task(row(number, 5)))
        await asyncio.sleep(0.05)  # exactly as much as is refilled
    await asyncio.gather(large, *small)
    return served.index("large")

before = asyncio.run(main())
print("aiolimiter", version("aiolimiter"))
print(f"a request for 90 tokens came first; {before} of {SMALL} later requests for 5 were served before it")
assert before > SMALL // 2, "large requests no longer wait for the small ones that came later"
PY
