"""The guide, redone: as a program and as a notebook."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
WAYS = ["sequential", "gather", "as_completed", "rate-limited gather", "rate-limited as_completed"]


def judge(table: str) -> None:
    times = {}
    for way in WAYS:
        found = re.search(rf"^\|? *{re.escape(way)} +\|? +(\d+\.\d+) s", table, re.MULTILINE)
        assert found, (way, table)
        times[way] = float(found[1])
    assert times["gather"] < times["rate-limited gather"] < times["sequential"]


def test_the_program_prints_the_table():
    done = subprocess.run([sys.executable, str(EXAMPLES / "learn_async.py")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    judge(done.stdout)


def test_the_notebook_runs():
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(EXAMPLES / "learn_async.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    text = "".join(
        output.get("text", "") for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    )
    judge(text)
