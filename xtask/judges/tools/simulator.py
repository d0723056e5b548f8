"""Starts the simulator for the scripts beside this file, which run tools of others against its batches."""

import contextlib
import json
import pathlib
import subprocess
import tempfile
import urllib.request


class Simulator:
    def __init__(self, base):
        self.base = base

    def stats(self):
        with urllib.request.urlopen(f"{self.base}/stats") as answer:
            return json.load(answer)


@contextlib.contextmanager
def simulator(program, batches):
    """A simulator whose batches run like this, in TOML."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = pathlib.Path(folder) / "scenario.toml"
        scenario.write_text(f"about = 'For a tool.'\n[batches]\n{batches}\n")
        command = [program, "sim", str(scenario), "--port", "0"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
            try:
                words = process.stdout.readline().split()
                yield Simulator(next(word for word in words if word.startswith("http://")).rstrip("/"))
            finally:
                process.kill()


def write_lines(path, rows):
    """Writes a batch file with this many chats, each about a person."""
    bodies = [
        {"model": "gpt-6-luna", "messages": [{"role": "user", "content": f"Ann is a {20 + row}-year-old nurse"}]}
        for row in range(rows)
    ]
    lines = [
        {"custom_id": f"q{row}", "method": "POST", "url": "/v1/chat/completions", "body": body}
        for row, body in enumerate(bodies)
    ]
    pathlib.Path(path).write_text("".join(json.dumps(line) + "\n" for line in lines))


def expect(found, expected, what):
    if found != expected:
        raise SystemExit(f"{what}: {found!r}, expected {expected!r}")
    print(f"{what}: {found}")
