"""The process around it: forks, signals, interpreters, the end, the command, how fast it is imported."""

import json
import os
import signal
import statistics
import subprocess
import sys
import textwrap

import pytest
import rowcall
from conftest import NAMES, PROMPT, TEXTS, Person

BEGIN = """
import asyncio, os, sys, time, rowcall
from pydantic import BaseModel

class Person(BaseModel):
    name: str
    age: int
    occupation: str

people = rowcall.Extractor(Person, model="sim", prompt="Extract person info: {{ text }}")
texts = [f"Ann Lee is a {20 + number % 60}-year-old nurse, number {number}" for number in range(20_000)]
"""


def python(code: str, **options) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", BEGIN + textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_a_runtime_of_its_own():
    done = python("""
        assert len(people.gather_sync(texts[:50])) == 50
        child = os.fork()
        if child == 0:
            assert len(people.gather_sync(texts[50:100])) == 50
            assert asyncio.run(people.extract(texts[0])).name == "Ann Lee"
            grandchild = os.fork()
            if grandchild == 0:
                people.extract_sync(texts[1])
                sys.exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]) == 7
            sys.exit(5)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
        assert len(people.gather_sync(texts[100:150])) == 50
        print("done")
    """)
    assert done.stdout == "done\n", done.stderr


def test_a_pool_of_forked_processes():
    done = python("""
        import multiprocessing
        people.extract_sync(texts[0])
        def ask(text):
            return people.extract_sync(text).age
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map(ask, texts[:6]))
    """)
    assert done.stdout == "[20, 21, 22, 23, 24, 25]\n", done.stderr


@pytest.mark.parametrize(
    "call",
    [
        "people.gather_sync(texts)",
        "list(people.as_completed(iter(texts)))",
        "list(people.map(text for text in texts))",
        "asyncio.run(people.gather(texts))",
        "people.sequential_sync(texts)",
    ],
)
def test_ctrl_c_ends_a_call(call):
    code = BEGIN + f"""
def observe(event):
    # Once, when the call is well under way.
    if event.kind == "answered" and not seen:
        seen.append(event)
        print("under way", flush=True)

seen = []
people = rowcall.Extractor(Person, model="sim", prompt="Extract person info: {{{{ text }}}}", on_event=observe)
try:
    {call}
except KeyboardInterrupt:
    print("interrupted")
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "under way\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "interrupted\n"
    assert process.returncode == 0


def test_a_process_may_end_while_calls_are_under_way():
    done = python("""
        outcomes = people.as_completed(iter(texts))
        next(outcomes)
        async def forgotten():
            task = asyncio.create_task(people.gather(texts))
            await people.extract(texts[0])
        asyncio.run(forgotten())
        def endless():
            while True:
                yield texts[0]
        other = people.as_completed(endless())
        next(other)
        print("done")
    """)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_sub_interpreters_are_refused_clearly():
    if sys.version_info >= (3, 13):
        pytest.importorskip("_interpreters")
        code = "import _interpreters as I\ni = I.create()\nprint(I.exec(i, 'import rowcall'))"
    else:
        pytest.importorskip("_xxsubinterpreters")
        code = "import _xxsubinterpreters as I\ni = I.create()\nI.run_string(i, 'import rowcall')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ImportError" in done.stdout + done.stderr
    assert "subinterpreter" in done.stdout + done.stderr


def test_the_command():
    done = subprocess.run([sys.executable, "-m", "rowcall", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"rowcall {rowcall.__version__}\n")
    wrong = subprocess.run([sys.executable, "-m", "rowcall", "rum"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "rum" in wrong.stderr
    script = os.path.join(os.path.dirname(sys.executable), "rowcall")
    assert subprocess.run([script, "sim", "--list"], capture_output=True, text=True, check=True).stdout


def test_the_command_ends_by_ctrl_c():
    process = subprocess.Popen([sys.executable, "-m", "rowcall", "sim"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) != 0


def test_the_import_takes_little_time_and_nothing_heavy():
    code = (
        "import sys, time; before = set(sys.modules); start = time.perf_counter(); import rowcall; "
        "took = time.perf_counter() - start; import json; "
        "print(json.dumps([took, sorted({name.partition('.')[0] for name in set(sys.modules) - before})]))"
    )
    runs = [json.loads(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
    assert not {"pydantic", "pyarrow", "pandas", "polars", "numpy", "msgspec", "tqdm", "rich"} & set(runs[0][1])
    # The figure itself is for the benchmark: 50 ms on a machine that does nothing else.
    assert statistics.median(took for took, _ in runs) < 0.5


def test_many_threads_at_the_same_time():
    from concurrent.futures import ThreadPoolExecutor

    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    with ThreadPoolExecutor(8) as pool:
        everyone = list(pool.map(lambda _: [person.name for person in people.gather_sync(TEXTS)], range(16)))
    assert everyone == [NAMES] * 16


def test_a_call_during_shutdown_is_reported():
    # Exit handlers run in reverse order, so the first one registered runs last.
    code = "import atexit\n" + textwrap.dedent("""
        def late():
            for ask in (lambda: people.extract_sync(texts[0]), lambda: next(outcomes), lambda: list(people.as_completed(iter(texts)))):
                try:
                    ask()
                except rowcall.Error as error:
                    print(error)
                except StopIteration:
                    print("over")
        atexit.register(late)
    """) + BEGIN + textwrap.dedent("""
        people.extract_sync(texts[0])
        outcomes = people.as_completed(texts)
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.count("the interpreter is shutting down") == 3, done.stdout + done.stderr


def test_stuck_threads_delay_the_shutdown_only_once():
    done = python("""
        import atexit, threading
        def stuck():
            yield texts[0]
            threading.Event().wait(1000)
        several = [people.as_completed(stuck()) for _ in range(4)]
        for outcomes in several:
            next(outcomes)
        from rowcall import _threads
        _threads._END = 0.5
        begun = time.monotonic()
        _threads._stop()
        print(time.monotonic() - begun < 3 * _threads._END)
    """)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
