"""Has a real llama-server with random weights answer for the schemas of `served.json`: `judge_server.py ROWCALL [ROWS]`. What such a model
writes is valid only where the server makes it so.

Prints a line for each schema: how many rows are valid without a re-ask as the dialect of llama.cpp asks for them, how many more rowcall
would only ask again because a control character in them may be half an escape, and how many are valid as OpenAI's dialect asks. Below is
said what other invalid ones lack. Exits 1 if one of those is invalid although no loss is recorded that a model may answer otherwise."""

import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import engines

DIALECTS = ["llama_cpp", "openai"]

# Enough for every text that a random model ends by itself in all but one of a million rows.
MOST_TOKENS = 2000

MODEL = "llama.cpp/tiny"

# What is said of a text such as `\\frac` with one backslash: a valid one, which rowcall asks again all the same.
HALF_ESCAPED = "expected every backslash escaped"


def whole(properties):
    """A schema of a closed object with these properties; those whose name ends in `?` may be absent."""
    if "$ref" in properties:
        return properties
    required = [name for name in properties if not name.endswith("?")]
    named = {name.rstrip("?"): schema for name, schema in properties.items()}
    return {"type": "object", "properties": named, "required": required, "additionalProperties": False}


def losses(rowcall, schema, dialect):
    shown = subprocess.run(
        [rowcall, "schema", schema, "--for", MODEL, "--dialect", dialect, "--json"],
        stdout=subprocess.PIPE, text=True, check=True,
    )
    return json.loads(shown.stdout)["losses"]


def run(rowcall, server, folder, schema, dialect, rows):
    """How many rows are valid, how many are half escaped, and what is said of the others."""
    table = folder / "rows.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["text"], *([f"row {number}"] for number in range(rows))])
    options = ["--max-reasks", "0", "--no-journal", "--keep-going", "--retries", "1", "-c", "4", "--mode", "schema"]
    sampling = ["--temperature", "1", "--param", "seed=7", "--max-output-tokens", str(MOST_TOKENS)]
    done = subprocess.run(
        [rowcall, "run", table, "--schema", schema, "--prompt", "{{ text }}", "-m", MODEL, "--base-url", f"{server.base}/v1",
         "--dialect", dialect, *options, *sampling],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if len(lines) != rows:
        return 0, 0, Counter({done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no output": rows})
    said, escapes = Counter(), 0
    for line in lines:
        if (error := line.get("_error")) is not None:
            violations = [str(violation) for violation in error["violations"] or [error["message"]]]
            others = [violation for violation in violations if HALF_ESCAPED not in violation]
            if others:
                said[" ".join(others[0].split())[:160]] += 1
            else:
                escapes += 1
    return rows - sum(said.values()) - escapes, escapes, said


def main():
    rowcall, rows = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50
    schemas = json.loads((Path(__file__).parent / "served.json").read_text())
    server = engines.LlamaCpp()
    print(f"{engines.label(server)}, a model with random weights, {rows} rows for each schema, no re-asks")
    print()
    print("| schema | valid | half escaped | valid as OpenAI's dialect | loss that explains what is left |")
    print("|---|---|---|---|---|")
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for case in schemas:
            file = folder / "schema.json"
            file.write_text(json.dumps(whole(case["schema"])))
            (valid, escapes, said), (before, _, _) = (run(rowcall, server, folder, file, dialect, rows) for dialect in DIALECTS)
            lost = sorted({loss["keyword"] for loss in losses(rowcall, file, DIALECTS[0]) if loss["effect"] == "checked"})
            explained = ", ".join(f"`{keyword}`" for keyword in lost) if said else ""
            print(f"| {case['name']} | {valid} | {escapes} | {before} | {explained} |", flush=True)
            if said and not lost:
                faults += [f"{case['name']}: {count} of {rows}: {words}" for words, count in said.most_common(3)]
    server.close()
    print("\n".join(faults))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
