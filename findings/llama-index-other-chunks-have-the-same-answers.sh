#!/usr/bin/env bash
# Guess: IngestionPipeline's cache gives an answer again only to the same list of nodes.
# Fact (llama-index-core 0.14.25): its key is the texts of all nodes joined without a separator. The same document cut into other chunks, or two rows
# whose texts meet elsewhere, get the answers of the first cut, even another number of them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check llama-index-core==0.14.25
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version

from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import TextNode, TransformComponent

asked = []

class Summary(TransformComponent):
    """Stands for a model that is asked about each node."""

    def __call__(self, nodes, **options):
        asked.extend(node.text for node in nodes)
        return [TextNode(text=f"summary of {node.text!r}") for node in nodes]

pipeline = IngestionPipeline(transformations=[Summary()])
print("llama-index-core", version("llama-index-core"))
answers = []
for chunks in (["one two ", "three"], ["one ", "two three"], ["one two three"]):
    answers.append([node.text for node in pipeline.run(nodes=[TextNode(text=chunk) for chunk in chunks])])
    print(f"{chunks}: {answers[-1]}")
print("asked about:", asked)
assert answers[0] == answers[1] == answers[2] and asked == ["one two ", "three"], "chunks are told apart now"
PY
