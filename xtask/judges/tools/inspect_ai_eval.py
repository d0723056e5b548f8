"""Inspect 0.3.285 against the simulator: an undisturbed batch is evaluated; if a batch expires, the samples that were done are lost with the
others; a sample whose result is missing waits for ever.

    python inspect_ai_eval.py PROGRAM, the program being `rowcall`
"""

import os
import subprocess
import sys
import tempfile

from simulator import expect, simulator

SAMPLES = 6
QUICK = "speed = 600.0\nseconds = 600.0\nvalidating_seconds = 0.0"

# Inspect hangs at a second batch in one process, so that each evaluation gets its own.
EVAL = f"""
import sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import BatchConfig, GenerateConfig

samples = [Sample(input=f"Ann is a {{20 + row}}-year-old nurse", target="x") for row in range({SAMPLES})]
config = GenerateConfig(batch=BatchConfig(size={SAMPLES}, send_delay=0.5, tick=0.5))
[log] = eval(
    Task(dataset=samples, config=config), model="openai/gpt-6-luna", model_args=dict(responses_api=False),
    model_base_url=sys.argv[1], display="none", log_dir=sys.argv[2], fail_on_error=False, score=False,
)
done = [sample for sample in log.samples or [] if not sample.error and sample.output.completion]
errors = sorted({{type(sample.error).__name__ + ": " + sample.error.message[:200] for sample in log.samples or [] if sample.error}})
print("DONE", len(done), errors, flush=True)
"""


def evaluate(base, seconds):
    """What an evaluation printed last, or `None` if it did not end in time."""
    environment = {
        "HOME": tempfile.gettempdir(),
        "PATH": os.environ.get("PATH", ""),
        "OPENAI_API_KEY": "sk-simulated",
        "INSPECT_TRACE_FILE": os.devnull,
    }
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", EVAL, base, folder]
        try:
            ran = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
    said = [line for line in ran.stdout.splitlines() if line.startswith("DONE")]
    return said[0] if said else ran.stdout[-2000:] + ran.stderr[-2000:]


def main(program):
    with simulator(program, QUICK) as server:
        expect(evaluate(server.base, 120), f"DONE {SAMPLES} []", "an undisturbed batch")
    with simulator(program, f"{QUICK}\nwindow_seconds = 300.0") as server:
        said = evaluate(server.base, 120)
        expect((said or "").split(" [")[0], "DONE 0", f"samples that an expired batch leaves ({said})")
        expect(server.stats()["batched"], 2, "requests that were executed and billed")
    with simulator(program, f"{QUICK}\nmissing = 0.9") as server:
        expect(evaluate(server.base, 30), None, "an evaluation with missing results, after 30 seconds")


if __name__ == "__main__":
    main(sys.argv[1])
