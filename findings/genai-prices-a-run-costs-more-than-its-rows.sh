#!/usr/bin/env bash
# Guess: the price of a run is that of its summed usage, as Usage can be added.
# Fact (genai-prices 0.2.3): the sum is priced like one request. Where a long prompt costs more for each token, 1,000 rows of 300 tokens are a
# prompt of 300,000: the run costs 71 to 77 percent more than its rows, and a budget stops it too early. Prices have to be added, not usages.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check genai-prices==0.2.3
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version

from genai_prices import Usage, calc_price

rows = [Usage(input_tokens=300, output_tokens=50) for _ in range(1000)]
total = sum(rows[1:], start=rows[0])
print("genai-prices", version("genai-prices"), total)
for model, has_long_prompts in [("gemini-2.5-pro", True), ("claude-sonnet-4-5", True), ("gpt-5.5", True), ("gpt-5", False)]:
    of_rows = sum(calc_price(row, model).total_price for row in rows)
    of_total = calc_price(total, model).total_price
    print(f"{model}: the rows cost ${of_rows:.3f}, their sum ${of_total:.3f}, {of_total / of_rows - 1:.0%} more")
    assert (of_total > of_rows * 17 / 10) == has_long_prompts, "sums are priced in another way now"
PY
