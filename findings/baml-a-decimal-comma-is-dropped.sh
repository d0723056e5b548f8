#!/usr/bin/env bash
# Guess: "12,34 EUR" for a float is 12.34, or is refused so that the model is asked again.
# Fact (baml-py 0.226.3): a comma is taken out wherever it stands, so the total is 1234.0, a hundred times too much; "2,5" is 25.0.
# "1.250,50" is refused, so only some rows of a European document are wrong.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check baml-py==0.226.3 pydantic==2.14.4
cd "$dir"
mkdir baml_src
cat > baml_src/main.baml <<'BAML'
generator python {
  output_type "python/pydantic"
  output_dir "../"
  version "0.226.3"
  default_client_mode "sync"
}
client<llm> Nobody {
  provider openai
  options {
    model "m"
    base_url "http://127.0.0.1:9/v1"
    api_key "none"
  }
}
class Invoice {
  total float
}
function Read(text: string) -> Invoice {
  client Nobody
  prompt #"{{ text }} {{ ctx.output_format }}"#
}
BAML
venv/bin/baml-cli generate > generate.log 2>&1 || { cat generate.log; exit 1; }
export BAML_LOG=off
venv/bin/python - <<'PY'
from importlib.metadata import version
from baml_client import b

texts = ["$1,250.50", "12,34 EUR", "2,5"]
totals = [b.parse.Read("{\"total\": \"" + text + "\"}").total for text in texts]
print("baml-py", version("baml-py"))
print(dict(zip(texts, totals)))
assert totals == [1250.5, 1234.0, 25.0], "commas are read in another way now"
PY
