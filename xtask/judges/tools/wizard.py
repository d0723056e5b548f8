"""batchwizard 0.5.0 against the simulator: an unanswered create is found again by `reconcile`, but not by `submit`, which makes another
batch; both files of an expired batch are collected.

    python wizard.py PROGRAM, the program being `rowcall`
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

from simulator import expect, simulator, write_lines

ROWS = 10


def wizard(base, home, *words):
    """Its output, whether it succeeds or not."""
    program = pathlib.Path(sys.executable).parent / "batchwizard"
    environment = {
        "HOME": str(home),
        "PATH": os.environ.get("PATH", ""),
        "OPENAI_API_KEY": "sk-simulated",
        "OPENAI_BASE_URL": base,
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }
    ran = subprocess.run([program, *words], env=environment, cwd=home, capture_output=True, text=True, timeout=120)
    return ran.stdout + ran.stderr


def unanswered(program):
    with simulator(program, "speed = 600.0\nlost_creates = 1") as server, tempfile.TemporaryDirectory() as home:
        write_lines(pathlib.Path(home) / "in.jsonl", ROWS)
        wizard(server.base, home, "submit", "in.jsonl")
        expect(server.stats()["batches"], 1, "batches of one unanswered create")
        intents = wizard(server.base, home, "reconcile")
        [intent] = set(re.findall(r"[0-9a-f-]{32,36}", intents)) or [None]
        said = wizard(server.base, home, "reconcile", intent)
        print(said.strip())
        expect(server.stats()["batches"], 1, "batches after `reconcile`")
        wizard(server.base, home, "submit", "in.jsonl")
        expect(server.stats()["batches"], 2, "batches after another `submit`")


def expired(program):
    batches = "speed = 600.0\nseconds = 600.0\nwindow_seconds = 300.0"
    with simulator(program, batches) as server, tempfile.TemporaryDirectory() as home:
        write_lines(pathlib.Path(home) / "in.jsonl", ROWS)
        wizard(server.base, home, "submit", "in.jsonl")
        wizard(server.base, home, "watch", "--output-directory", "out", "--check-interval", "1")
        files = sorted((pathlib.Path(home) / "out").rglob("*.jsonl"))
        lines = {line for file in files for line in file.read_text().splitlines()}
        expect((len(files), len(lines)), (2, ROWS), "files and lines of an expired batch")


if __name__ == "__main__":
    [_, program] = sys.argv
    unanswered(program)
    expired(program)
