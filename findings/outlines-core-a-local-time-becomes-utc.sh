#!/usr/bin/env bash
# Guess: `format: date-time` accepts every time with an offset, as RFC 3339 says.
# Fact (outlines-core 0.2.14): the only zone that can be written is Z, or none. A model that should copy 18:30+02:00 writes 18:30Z, two hours
# away and valid. Seconds have no fraction or exactly three digits, and an answer without a zone is not a date-time at all.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check outlines-core==0.2.14
cd "$dir"
venv/bin/python - <<'PY'
import json
import re
from importlib.metadata import version

from outlines_core.json_schema import build_regex_from_schema

pattern = build_regex_from_schema(json.dumps({"type": "string", "format": "date-time"}))
expected = {"2026-05-04T18:30:00Z": True, "2026-05-04T18:30:00+02:00": False, "2026-05-04T18:30:00.123456Z": False, "2026-05-04T18:30:00": True}
print("outlines-core", version("outlines-core"))
for text, is_accepted in expected.items():
    found = re.fullmatch(pattern, json.dumps(text)) is not None
    print(f"{text}: {'accepted' if found else 'cannot be written'}")
    assert found == is_accepted, "other times are accepted now"
PY
