"""Curator 0.1.31 against the simulator: the rows that an expired batch has done are kept, the run fails for the others, and the same run
again asks only about those; a run that is killed before the answer to its create makes a second batch, and one that is killed later goes on with its batch.

    python curator_batch.py PROGRAM, the program being `rowcall`
"""

import os
import subprocess
import sys
import tempfile
import time

from simulator import expect, simulator

ROWS = 10

RUN = f"""
import sys
from bespokelabs import curator

llm = curator.LLM(
    model_name="gpt-4o-mini", backend="openai", batch=True,
    backend_params=dict(base_url=sys.argv[1], batch_check_interval=1, batch_size={ROWS}, max_retries=3),
)
rows = llm([f"Ann is a {{20 + row}}-year-old nurse" for row in range({ROWS})], working_dir=sys.argv[2])
rows = getattr(rows, "dataset", rows)
print("DONE", len(rows), len(set(rows["response"])), flush=True)
"""


def start(base, folder):
    environment = {
        "HOME": folder,
        "PATH": os.environ.get("PATH", ""),
        "OPENAI_API_KEY": "sk-simulated",
        "TELEMETRY_ENABLED": "False",
        "CURATOR_VIEWER": "0",
        "CURATOR_DISABLE_RICH_DISPLAY": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, "-c", RUN, base, folder]
    return subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def last(run, seconds=240):
    try:
        said, _ = run.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        run.kill()
        said, _ = run.communicate()
        return "it does not end: " + said[-1500:]
    done = [line for line in said.splitlines() if line.startswith("DONE")]
    return done[0] if done else said[-3000:]


def kill_once(run, server, has):
    """Kills it as soon as the simulator's counts are so."""
    until = time.monotonic() + 120
    while not has(server.stats()) and run.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    run.kill()
    run.communicate()


def main(program):
    # A batch takes ten minutes in the time of batches and expires after five.
    batches = "speed = 300.0\nvalidating_seconds = 0.0\nseconds = 600.0\nwindow_seconds = 300.0"
    with simulator(program, batches) as server, tempfile.TemporaryDirectory() as folder:
        said = last(start(server.base, folder))
        expect("6 requests do not have responses" in said, True, "the first run ends without the rows that were not done")
        expect(server.stats()["batched"], 4, "rows that the expired batch has done")
        last(start(server.base, folder))
        stats = server.stats()
        expect((stats["batches"], stats["requests"]["again"]), (2, 0), "batches, and rows that were asked again though they were done")
    running = "speed = 100.0\nvalidating_seconds = 0.0\nseconds = 600.0"
    with simulator(program, running) as server, tempfile.TemporaryDirectory() as folder:
        run = start(server.base, folder)
        kill_once(run, server, lambda stats: stats["batches"] > 0 and stats["batch_requests"] > 3)
        said = last(start(server.base, folder))
        expect((said, server.stats()["batches"]), (f"DONE {ROWS} {ROWS}", 1), "a run that is killed while its batch runs")
    with simulator(program, f"{running}\nlost_creates = 1000") as server, tempfile.TemporaryDirectory() as folder:
        run = start(server.base, folder)
        kill_once(run, server, lambda stats: stats["batches"] > 0)
        before = server.stats()["batches"]
        run = start(server.base, folder)
        kill_once(run, server, lambda stats: stats["batches"] > before)
        expect(server.stats()["batches"] > before, True, "a second batch after a kill before the answer to a create")


if __name__ == "__main__":
    main(sys.argv[1])
