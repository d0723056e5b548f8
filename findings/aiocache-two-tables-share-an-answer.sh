#!/usr/bin/env bash
# Guess: the key of @cached depends on the whole value of the arguments.
# Fact (aiocache 0.12.3): it is str(args), and a long table prints its first and last five rows only. Two tables that differ between them share one
# answer. And an answer of None, such as a field that a text does not mention, is never kept and is asked for every time.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check aiocache==0.12.3 pandas==3.1.1
cd "$dir"
venv/bin/python - <<'PY'
import asyncio
from importlib.metadata import version

import pandas as pd
from aiocache import cached

asked = 0

@cached()
async def total(table):
    global asked
    asked += 1
    return int(table["amount"].sum())

@cached()
async def missing(text):
    global asked
    asked += 1
    return None

async def main():
    global asked
    first = pd.DataFrame({"amount": [1] * 100})
    second = first.copy()
    second.loc[10:89, "amount"] = 1000
    totals = [await total(first), await total(second)]
    print(f"totals of two tables: {totals}, the second is {second['amount'].sum()}, asked {asked} times")
    assert totals == [100, 100] and asked == 1, "the tables are told apart now"
    asked = 0
    for _ in range(3):
        await missing("no date in it")
    print(f"an answer of None: asked {asked} times of 3")
    assert asked == 3, "None is kept now"

print("aiocache", version("aiocache"), "pandas", pd.__version__)
asyncio.run(main())
PY
