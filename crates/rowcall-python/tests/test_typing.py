"""Type checkers agree with the types that are promised, on the tests' own lines and on the examples."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[2] / "examples" / "learn_async.py"
FILES = [str(HERE / "typed.py"), str(EXAMPLE)]


def check(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command, *FILES], capture_output=True, text=True, cwd=HERE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy():
    pytest.importorskip("mypy")
    check("mypy", "--strict", "--no-error-summary")


def test_mypy_on_the_package_itself():
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(HERE.parent / "python" / "rowcall")],
        capture_output=True,
        text=True,
        cwd=HERE,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright(tmp_path: Path):
    pytest.importorskip("pyright")
    check("pyright", "--pythonpath", sys.executable)


def test_the_stub_of_the_extension_module_is_as_the_module():
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "rowcall._rowcall", "--ignore-missing-stub", "--concise", "--mypy-config-file", str(HERE.parent / "pyproject.toml")],
        capture_output=True,
        text=True,
        cwd=HERE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
