#!/usr/bin/env bash
# Guess: if one item of a list in the answer does not fit, the parse fails, or the item is there in some marked form.
# Fact (baml-py 0.226.3): the item is left out, without an error or a mark; so is an entry of a map. An answer of four lines, of which one has the
# price "unknown" and one has none, is a valid invoice of two lines.
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
class Line {
  name string
  price float
}
class Invoice {
  lines Line[]
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

answer = "{\"lines\": [{\"name\": \"ink\", \"price\": 4}, {\"name\": \"paper\", \"price\": \"unknown\"}, {\"name\": \"pens\"}, {\"name\": \"glue\", \"price\": 2}]}"
lines = b.parse.Read(answer).lines
print("baml-py", version("baml-py"))
print("the answer has 4 lines, the value:", [line.name for line in lines])
assert [line.name for line in lines] == ["ink", "glue"], "unreadable items are no longer dropped"
PY
