"""The guide, redone: as a program and as a notebook."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

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


def executed(name: str) -> Any:
    """The notebook with what its cells have shown."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(EXAMPLES / name, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook


def test_the_notebook_runs():
    notebook = executed("learn_async.ipynb")
    text = "".join(
        output.get("text", "") for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    )
    judge(text)


def test_a_notebook_shows_statistics_failures_and_progress():
    notebook = executed("monitoring.ipynb")
    shown: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            outputs = [output.get("text", "") + output.get("data", {}).get("text/html", "") for output in cell.outputs]
            shown[cell.source.splitlines()[0]] = "".join(outputs)
    expected = {
        "values = people.gather_sync": ["300/300", " failed", "$0.", "bound by: requests in flight"],
        "people.stats": ["<caption>rowcall</caption>", " failed (", "rows/s", "cost", "$0.", "waited for", "requests in flight: ", " × "],
        "snapshots = []": ["<th>left</th>", "<th>eta</th>"],
        "people.failures()": ["failed rows", "<th style='text-align:left'>field</th>", "invalid"],
        "done": ["rowcall.Outcome", "tokens"],
        "table = rowcall.to_table": ["_error"],
        "import pathlib": ["60/60", "rowcall.Extractor", "sim/messy"],
    }
    for start, parts in expected.items():
        (found,) = (text for line, text in shown.items() if line.startswith(start))
        for part in parts:
            assert part in found, (start, part, found)
