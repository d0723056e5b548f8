#!/usr/bin/env bash
# Guess: `llm embed-multi` on a changed file embeds the rows whose text is new to their id and leaves the others.
# Fact (llm 0.36): it leaves out a row whose id is stored if the *stored* text is anywhere in the new file. With row numbers as ids, one row put in at
# the top moves all texts by one: only the last id is embedded, the new text has no vector at all, and every other id keeps that of another
# text. A new sort order embeds nothing. There is no message, and searches find the wrong rows.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check llm==0.36 sqlite-utils==4.2.1
cd "$dir"
export LLM_USER_PATH="$dir/llm" PYTHONPATH="$dir"
cat > model.py <<'PY'
import llm

class Letters(llm.EmbeddingModel):
    """Stands for a paid model: a text's vector is its length and its first letter's number."""
    model_id = "letters"

    def embed_batch(self, texts):
        for text in texts:
            yield [float(len(text)), float(ord(text[0]))]

@llm.hookimpl
def register_embedding_models(register):
    register(Letters())
PY
mkdir model-1.dist-info
printf 'Metadata-Version: 2.1\nName: model\nVersion: 1\n' > model-1.dist-info/METADATA
printf '[llm]\nmodel = model\n' > model-1.dist-info/entry_points.txt
printf '%s\n' id,text 1,apple 2,bee > rows.csv
venv/bin/llm embed-multi rows rows.csv -m letters -d rows.db > /dev/null
printf '%s\n' id,text 1,cherry 2,apple 3,bee > rows.csv
venv/bin/llm embed-multi rows rows.csv -m letters -d rows.db > /dev/null
venv/bin/python - <<'PY'
import csv, llm, sqlite3
from importlib.metadata import version

text_of = {(float(len(text)), float(ord(text[0]))): text for text in ("apple", "bee", "cherry")}
query = "select id, embedding from embeddings order by id"
stored = {id: text_of[tuple(llm.decode(vector))] for id, vector in sqlite3.connect("rows.db").execute(query)}
print("llm", version("llm"))
for row in csv.DictReader(open("rows.csv")):
    print(f"row {row['id']} is {row['text']}, its vector is that of {stored[row['id']]}")
assert stored == {"1": "apple", "2": "bee", "3": "bee"}, "the vectors are those of the new texts now"
PY
