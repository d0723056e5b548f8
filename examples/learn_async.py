"""The guide "asyncio.gather and asyncio.as_completed for LLM processing", redone with rowcall: five methods over seven
sentences, timed against a simulated provider. `python examples/learn_async.py [PROVIDER/MODEL]`."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

import rowcall
from pydantic import BaseModel


class Person(BaseModel):
    name: str
    age: int
    occupation: str


TEXTS = [
    "John Smith is a 30-year-old software engineer",
    "Sarah Johnson is a 25-year-old data scientist",
    "Mike Davis is a 35-year-old product manager",
    "Lisa Wilson is a 28-year-old UX designer",
    "Tom Brown is a 32-year-old DevOps engineer",
    "Emma Garcia is a 27-year-old frontend developer",
    "David Lee is a 33-year-old backend developer",
]

MODEL = sys.argv[1] if len(sys.argv) > 1 else "sim/guide"


def extractor() -> rowcall.Extractor[Person]:
    return rowcall.Extractor(Person, model=MODEL, prompt="Extract person info: {{ text }}")


async def sequential() -> list[Person]:
    return await extractor().sequential(TEXTS)


async def gather() -> list[Person]:
    return await extractor().gather(TEXTS)


async def as_completed() -> list[Person]:
    return [done.value async for done in extractor().as_completed(TEXTS)]


async def rate_limited_gather() -> list[Person]:
    return await extractor().rate_limited_gather(TEXTS, concurrency=2)


async def rate_limited_as_completed() -> list[Person]:
    return [done.value async for done in extractor().rate_limited_as_completed(TEXTS, concurrency=2)]


WAYS: list[tuple[str, Callable[[], Awaitable[list[Person]]], str]] = [
    ("sequential", sequential, "baseline"),
    ("gather", gather, "all at once, results in input order"),
    ("as_completed", as_completed, "results as they arrive"),
    ("rate-limited gather", rate_limited_gather, "ordered, kind to the API"),
    ("rate-limited as_completed", rate_limited_as_completed, "streamed, kind to the API"),
]


async def main() -> None:
    print(f"| {'method':<25} | {'time':>7} | {'for':<36} |")
    print(f"|{'-' * 27}|{'-' * 9}|{'-' * 38}|")
    for name, way, purpose in WAYS:
        start = time.perf_counter()
        people = await way()
        seconds = time.perf_counter() - start
        assert len(people) == len(TEXTS)
        print(f"| {name:<25} | {seconds:5.2f} s | {purpose:<36} |")


if __name__ == "__main__":
    asyncio.run(main())
