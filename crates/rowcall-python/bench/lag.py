"""How late an event loop is while many rows run, compared with busy threads in C, and how long single steps on the loop
take. Exits with 1 if the median of the rounds misses the limit.

    cargo xtask bench python
"""

import argparse
import asyncio
import gc
import hashlib
import statistics
import sys
import threading
import time

import rowcall
from pydantic import BaseModel

PROMPT = "Extract person info: {{ text }}"

MOST_LATE = 0.005
"""Seconds that the loop may be late at the 99th percentile, or twice as much as beside busy threads, if that is more."""

LONGEST_STEP = 0.005
"""Seconds that the loop may be held up by one step of ours."""


class Person(BaseModel):
    name: str
    age: int
    occupation: str


def texts(rows: int) -> list[str]:
    """`rows` sentences, no two the same."""
    return [f"Ann Smith{row} is a {20 + row % 60}-year-old nurse" for row in range(rows)]


async def lateness(until: "asyncio.Event") -> list[float]:
    """How late a loop wakes up that asked for a millisecond, again and again."""
    late = []
    while not until.is_set():
        start = time.perf_counter()
        await asyncio.sleep(0.001)
        late.append(time.perf_counter() - start - 0.001)
    return late


def p99(late: list[float]) -> float:
    return sorted(late)[int(len(late) * 0.99)]


async def beside_rows() -> float:
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    over = asyncio.Event()
    probe = asyncio.create_task(lateness(over))
    count = 0
    async for done in people.as_completed(texts(10_000)):
        assert done.ok
        count += 1
    assert count == 10_000
    over.set()
    return p99(await probe)


async def beside_a_busy_loop() -> float:
    """The same beside as many threads in C as the engine has, which never hold the lock."""
    over = asyncio.Event()
    stopped = threading.Event()

    def work() -> None:
        while not stopped.is_set():
            hashlib.pbkdf2_hmac("sha256", b"", b"", 20_000)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    probe = asyncio.create_task(lateness(over))
    await asyncio.sleep(1.0)
    over.set()
    stopped.set()
    for thread in threads:
        thread.join()
    return p99(await probe)


def longest_step() -> float:
    """The longest of what the loop itself does for 10,000 rows, in the thread's own time."""
    from rowcall import _loop, _outcomes

    steps: list[float] = []

    def timed(function):
        def step(*arguments):
            start = time.thread_time()
            try:
                return function(*arguments)
            finally:
                steps.append(time.thread_time() - start)

        return step

    take, hear = _outcomes.Outcomes._take, _loop._Ear.hear
    try:
        _outcomes.Outcomes._take, _loop._Ear.hear = timed(take), timed(hear)  # type: ignore[method-assign]
        people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
        assert len(asyncio.run(people.gather(texts(10_000)))) == 10_000
    finally:
        _outcomes.Outcomes._take, _loop._Ear.hear = take, hear  # type: ignore[method-assign]
    return max(steps)


def main() -> None:
    """Prints a line for each round, in milliseconds."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    found = []
    # Freeze imported objects, so that the garbage collector does not scan them during the measurement.
    gc.collect()
    gc.freeze()
    for _ in range(options.parse_args().rounds):
        rows, busy, step = asyncio.run(beside_rows()), asyncio.run(beside_a_busy_loop()), longest_step()
        print(f"late at p99: {rows * 1e3:.2f} beside rows, {busy * 1e3:.2f} beside busy threads; longest step {step * 1e3:.2f}", flush=True)
        found.append((rows, busy, step))
    late, busy, step = (statistics.median(each) for each in zip(*found))
    if late > max(MOST_LATE, 2 * busy):
        sys.exit(f"the loop is {late * 1e3:.2f} ms late, expected at most {max(MOST_LATE, 2 * busy) * 1e3:.2f}")
    if step > LONGEST_STEP:
        sys.exit(f"a step takes {step * 1e3:.2f} ms, expected at most {LONGEST_STEP * 1e3:.2f}")


if __name__ == "__main__":
    main()
