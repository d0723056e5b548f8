#!/usr/bin/env bash
# Guess: a field of type Decimal has the digits of the JSON number, as that is what Decimal is for.
# Fact (pydantic 2.14.4): the number is read as a float first. 12345678901234567.89 is 12345678901234568, 0.123456789012345678 loses its last digit,
# and 1.10 is 1.1. The same digits between quotation marks are kept, and msgspec 0.23.0 keeps both.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pydantic==2.14.4 msgspec==0.23.0
cd "$dir"
venv/bin/python - <<'PY'
from decimal import Decimal

import msgspec
import pydantic

class Invoice(pydantic.BaseModel):
    total: Decimal

class Other(msgspec.Struct):
    total: Decimal

print("pydantic", pydantic.VERSION, "msgspec", msgspec.__version__)
numbers = {"12345678901234567.89": "12345678901234568", "0.123456789012345678": "0.12345678901234568", "1.10": "1.1"}
for digits, expected in numbers.items():
    number = Invoice.model_validate_json(f'{{"total": {digits}}}').total
    text = Invoice.model_validate_json(f'{{"total": "{digits}"}}').total
    other = msgspec.json.decode(f'{{"total": {digits}}}', type=Other).total
    print(f"{digits}: pydantic {number}, as a text {text}, msgspec {other}")
    assert str(text) == str(other) == digits and str(number) == expected, "Decimal keeps its digits now"
PY
