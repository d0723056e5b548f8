#!/usr/bin/env bash
# Guess: a datetime field refuses "2024", so that the model is asked again for the whole date.
# Fact (pydantic 2.14.4): digits are seconds since 1970, in text as well. "2024" is 1970-01-01T00:33:44, "20241231", a usual way to write
# a day, is 1970-08-23T06:33:51. Both are valid. A field of type date refuses both.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pydantic==2.14.4
cd "$dir"
venv/bin/python - <<'PY'
from datetime import date, datetime
import pydantic
from pydantic import TypeAdapter, ValidationError

def read(kind, text):
    try:
        return TypeAdapter(kind).validate_python(text).isoformat()[:19]
    except ValidationError:
        return "refused"

got = {text: (read(datetime, text), read(date, text)) for text in ("2024", "20241231")}
print("pydantic", pydantic.VERSION)
for text, (moment, day) in got.items():
    print(f'"{text}": as datetime {moment}, as date {day}')
assert got == {"2024": ("1970-01-01T00:33:44", "refused"), "20241231": ("1970-08-23T06:33:51", "refused")}
PY
