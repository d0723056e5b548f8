#!/usr/bin/env bash
# Guess: an answer that cannot be read is an error, or what can be read of it is kept.
# Fact (langextract 1.7.1): extract returns a document without extractions, like one in which there is nothing to find. An answer cut by the token
# limit does that, and so does one item of null beside good ones; only the log says so. With resolver_params={"suppress_parse_errors": False} it fails.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check langextract==1.7.1
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version

import langextract as lx
from langextract.core import base_model, types

class Model(base_model.BaseLanguageModel):
    """Gives the same answer to every prompt."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def infer(self, batch_prompts, **options):
        for _ in batch_prompts:
            yield [types.ScoredOutput(score=1.0, output=self.answer)]

text = "Bob paid 12 euros on 3 May."
example = lx.data.ExampleData(text="Ann paid 5 euros.", extractions=[lx.data.Extraction("amount", "5 euros")])

def extract(answer, **options):
    document = lx.extract(text, prompt_description="Find amounts and dates.", examples=[example], model=Model(answer), show_progress=False, **options)
    return [extraction.extraction_text for extraction in document.extractions or []]

whole = '{"extractions": [{"amount": "12 euros"}, {"date": "3 May"}]}'
answers = {
    "whole": (whole, ["12 euros", "3 May"]),
    "nothing to find": ('{"extractions": []}', []),
    "cut by a limit": (whole[:-12], []),
    "one null": ('{"extractions": [{"amount": "12 euros"}, {"date": null}]}', []),
}
print("langextract", version("langextract"))
for name, (answer, expected) in answers.items():
    found = extract(answer)
    print(f"{name}: {found}")
    assert found == expected, "unreadable answers are told apart now"
try:
    extract(whole[:-12], resolver_params={"suppress_parse_errors": False})
    raise SystemExit("no error even if asked for")
except Exception as error:
    print("suppress_parse_errors=False:", type(error).__name__)
PY
