"""CPU time per row of this package compared with Instructor's, and memory by number of rows.

    cargo xtask bench python

Each client runs in a separate process against one server without latency, with 64 requests in flight, in alternation; medians are
shown. CPU is user and system time of the client between its first measured request and its last result, after one to warm up.
Instructor (in TOOLS mode, as its users have it) is measured if it is installed. Exits with 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

CONCURRENCY = 64

LEAST_RATIO = {"as_completed": 25.0, "map_table": 60.0}
"""How many times less CPU a row must take than with Instructor."""

MOST_GROWTH = 1.15
"""What a hundred times as many rows may take of memory."""
PROMPT = "Extract person info: "


def text(number: int) -> str:
    return f"[row {number}] John Smith is a {20 + number % 60}-year-old software engineer"


def person() -> Any:
    from pydantic import BaseModel

    class Person(BaseModel):
        name: str
        age: int
        occupation: str

    return Person


def extractor(base: str) -> Any:
    import rowcall

    return rowcall.Extractor(
        person(), model="openai/stub", base_url=base, api_key="none", prompt=PROMPT + "{{ text }}", concurrency=CONCURRENCY
    )


class Meter:
    def start(self) -> None:
        self.cpu, self.wall = self._cpu(), time.perf_counter()

    def stop(self, rows: int) -> dict[str, float]:
        return {
            "us_per_row": (self._cpu() - self.cpu) / rows * 1e6,
            "rows_per_second": rows / (time.perf_counter() - self.wall),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }

    @staticmethod
    def _cpu() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime


def instructor(base: str, rows: int) -> dict[str, float]:
    import instructor
    from openai import AsyncOpenAI

    client = instructor.from_openai(AsyncOpenAI(base_url=base, api_key="none"), mode=instructor.Mode.TOOLS)
    kind, meter = person(), Meter()

    async def extract(row: str) -> Any:
        return await client.chat.completions.create(
            model="stub", messages=[{"role": "user", "content": PROMPT + row}], response_model=kind
        )

    async def main() -> dict[str, float]:
        await extract(text(0))
        places = asyncio.Semaphore(CONCURRENCY)

        async def limited(row: str) -> Any:
            async with places:
                return await extract(row)

        meter.start()
        done = [await each for each in asyncio.as_completed([limited(text(number)) for number in range(1, rows + 1)])]
        assert len(done) == rows
        return meter.stop(rows)

    return asyncio.run(main())


def as_completed(base: str, rows: int) -> dict[str, float]:
    people, meter = extractor(base), Meter()

    async def main() -> dict[str, float]:
        await people.extract(text(0))
        meter.start()
        done = [each.value async for each in people.as_completed([text(number) for number in range(1, rows + 1)])]
        assert len(done) == rows and done[0].age >= 20
        return meter.stop(rows)

    return asyncio.run(main())


def gather(base: str, rows: int) -> dict[str, float]:
    people, meter = extractor(base), Meter()

    async def main() -> dict[str, float]:
        await people.extract(text(0))
        meter.start()
        assert len(await people.gather([text(number) for number in range(1, rows + 1)])) == rows
        return meter.stop(rows)

    return asyncio.run(main())


def map_table(base: str, rows: int) -> dict[str, float]:
    import pyarrow

    people, meter = extractor(base), Meter()
    people.extract_sync(text(0))
    table = pyarrow.table({"text": [text(number) for number in range(1, rows + 1)]})
    meter.start()
    made = people.map_table(table)
    assert made.column("_error").null_count == rows
    return meter.stop(rows)


def generator(base: str, rows: int) -> dict[str, float]:
    people, meter = extractor(base), Meter()
    people.extract_sync(text(0))
    meter.start()
    assert sum(1 for _ in people.map(text(number) for number in range(1, rows + 1))) == rows
    return meter.stop(rows)


WAYS = {way.__name__: way for way in (instructor, as_completed, gather, map_table, generator)}


def measured(way: str, base: str, rows: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--way", way, "--rows", str(rows), "--base", base]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    assert isinstance(found, dict)
    return found


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--way", choices=WAYS)
    options.add_argument("--rows", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--memory", action="store_true")
    options.add_argument("--base")
    given = options.parse_args()
    if given.way:
        print(json.dumps(WAYS[given.way](given.base, given.rows)))
        return
    server = None
    if given.base is None:
        command = [sys.executable, "-m", "rowcall", "sim", "--latency", "0ms"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        line = ""
        while "http" not in line:
            line = server.stdout.readline()
        given.base = line[line.index("http") :].split()[0]
    try:
        compare(given)
    finally:
        if server is not None:
            server.kill()
            server.wait()


def compare(given: argparse.Namespace) -> None:
    if given.memory:
        peaks = []
        for rows in (10_000, 100_000, 1_000_000):
            found = measured("generator", given.base, rows)
            peaks.append(found["peak_mb"])
            print(f"{rows:>9,} rows from a generator: {found['peak_mb']:6.1f} MB, {found['us_per_row']:6.1f} µs/row", flush=True)
        if peaks[-1] > peaks[0] * MOST_GROWTH:
            sys.exit(f"memory grew {peaks[-1] / peaks[0]:.2f} times, at most {MOST_GROWTH} is expected")
        return
    from importlib.util import find_spec

    ways = [way for way in WAYS if way != "generator" and (way != "instructor" or find_spec("instructor"))]
    figures: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(given.rounds):
        for way in ways:
            # Instructor's rows cost so much more that fewer of them give the same precision.
            rows = max(given.rows // 20, 1) if way == "instructor" else given.rows
            figures[way].append(measured(way, given.base, rows)["us_per_row"])
    medians = {way: statistics.median(found) for way, found in figures.items()}
    beside = medians.get("instructor")
    for way, median in medians.items():
        ratio = f"{beside / median:6.1f} × below Instructor" if beside else ""
        print(f"{way:<13} {median:8.1f} µs of CPU per row  {ratio}", flush=True)
    for way, least in LEAST_RATIO.items():
        if beside and beside / medians[way] < least:
            sys.exit(f"{way} is {beside / medians[way]:.1f} × below Instructor, at least {least:.0f} is expected")


if __name__ == "__main__":
    os.environ.setdefault("TELEMETRY_ENABLED", "False")
    main()
