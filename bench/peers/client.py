"""Python clients that extract the same rows, each as its documentation has it: a schema out, a validated Pydantic model in.

    python client.py CLIENT --base http://127.0.0.1:8080/v1 --rows 1000 --in-flight 64

One process runs one client once; `cargo xtask bench peers` runs them. The last line of output has the right answers, and the CPU time
of this process and the time from the first measured request to the last result, after one row to warm up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import time
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("TELEMETRY_ENABLED", "False")

from pydantic import BaseModel  # noqa: E402  (after the settings)

KEY = "none"
MODEL = "stub"
NAMES = ["Ann", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus"]


class Person(BaseModel):
    name: str
    age: int
    occupation: str

    def is_of(self, row: int) -> bool:
        return self.name == f"Person {row}" and self.age == 20 + row % 60 and self.occupation.startswith("software engineer")


SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "Person",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, "occupation": {"type": "string"}},
            "required": ["name", "age", "occupation"],
            "additionalProperties": False,
        },
    },
}


def text(row: int) -> str:
    return f"[row {row}] My name is {NAMES[row % 7]}, I am {20 + row % 60} years old and I work as a software engineer"


class Meter:
    """What rows cost from the end of the first one."""

    def __init__(self) -> None:
        self.cpu, self.wall = self._cpu(), time.perf_counter()

    def report(self, right: int) -> dict[str, float]:
        return {"ok": right, "cpu_s": self._cpu() - self.cpu, "wall_s": time.perf_counter() - self.wall}

    @staticmethod
    def _cpu() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime


async def rows_in_flight(extract: Callable[[str], Awaitable[Person]], asked: argparse.Namespace) -> dict[str, float]:
    """The loop of the Instructor guide: a semaphore, and results as they complete."""
    assert (await extract(text(0))).is_of(0)
    meter = Meter()
    places = asyncio.Semaphore(asked.in_flight)

    async def limited(row: int) -> bool:
        async with places:
            return (await extract(text(row))).is_of(row)

    right = 0
    for done in asyncio.as_completed([limited(row) for row in range(1, asked.rows + 1)]):
        right += await done
    return meter.report(right)


def instructor(asked: argparse.Namespace) -> dict[str, float]:
    import instructor
    from openai import AsyncOpenAI

    async def main() -> dict[str, float]:
        client = instructor.from_openai(AsyncOpenAI(base_url=asked.base, api_key=KEY), mode=instructor.Mode.TOOLS)

        async def extract(row: str) -> Person:
            return await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": row}], response_model=Person
            )

        return await rows_in_flight(extract, asked)

    return asyncio.run(main())


def openai_parse(asked: argparse.Namespace) -> dict[str, float]:
    from openai import AsyncOpenAI

    async def main() -> dict[str, float]:
        client = AsyncOpenAI(base_url=asked.base, api_key=KEY)

        async def extract(row: str) -> Person:
            said: list[Any] = [{"role": "user", "content": row}]
            done = await client.chat.completions.parse(model=MODEL, messages=said, response_format=Person)
            person = done.choices[0].message.parsed
            assert person is not None
            return person

        return await rows_in_flight(extract, asked)

    return asyncio.run(main())


def aiohttp_orjson(asked: argparse.Namespace) -> dict[str, float]:
    import aiohttp
    import orjson

    headers = {"Authorization": f"Bearer {KEY}", "content-type": "application/json"}

    async def main() -> dict[str, float]:
        connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=600)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session:

            async def extract(row: str) -> Person:
                body = {"model": MODEL, "messages": [{"role": "user", "content": row}], "response_format": SCHEMA}
                async with session.post(asked.base + "/chat/completions", data=orjson.dumps(body)) as response:
                    response.raise_for_status()
                    answer = orjson.loads(await response.read())
                return Person.model_validate_json(answer["choices"][0]["message"]["content"])

            return await rows_in_flight(extract, asked)

    return asyncio.run(main())


def litellm(asked: argparse.Namespace) -> dict[str, float]:
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True

    async def extract(row: str) -> Person:
        done = await litellm.acompletion(
            model="openai/" + MODEL,
            api_base=asked.base,
            api_key=KEY,
            messages=[{"role": "user", "content": row}],
            response_format=Person,
        )
        return Person.model_validate_json(done.choices[0].message.content)

    return asyncio.run(rows_in_flight(extract, asked))


def flexllm(asked: argparse.Namespace) -> dict[str, float]:
    import logging

    from flexllm import LLMClient

    logging.disable(logging.CRITICAL)
    client = LLMClient(model=MODEL, base_url=asked.base, api_key=KEY, concurrency_limit=asked.in_flight)

    async def extract(rows: range) -> int:
        said = [[{"role": "user", "content": text(row)}] for row in rows]
        done = await client.chat_batch(said, response_format=SCHEMA, show_progress=False)
        return sum(Person.model_validate_json(each.content).is_of(row) for row, each in zip(rows, done, strict=True))

    async def main() -> dict[str, float]:
        assert await extract(range(1)) == 1
        meter = Meter()
        return meter.report(await extract(range(1, asked.rows + 1)))

    return asyncio.run(main())


def extractor(asked: argparse.Namespace) -> Any:
    import rowcall

    return rowcall.Extractor(
        Person, model="openai/" + MODEL, base_url=asked.base, api_key=KEY, prompt="{{ text }}", concurrency=asked.in_flight
    )


def as_completed(asked: argparse.Namespace) -> dict[str, float]:
    people = extractor(asked)

    async def main() -> dict[str, float]:
        await people.extract(text(0))
        meter, right = Meter(), 0
        async for done in people.as_completed([text(row) for row in range(1, asked.rows + 1)]):
            right += done.value.is_of(done.index + 1)
        return meter.report(right)

    return asyncio.run(main())


def gather(asked: argparse.Namespace) -> dict[str, float]:
    people = extractor(asked)

    async def main() -> dict[str, float]:
        await people.extract(text(0))
        meter = Meter()
        done = await people.gather([text(row) for row in range(1, asked.rows + 1)])
        return meter.report(sum(person.is_of(row) for row, person in enumerate(done, start=1)))

    return asyncio.run(main())


def map_table(asked: argparse.Namespace) -> dict[str, float]:
    import pyarrow

    people = extractor(asked)
    people.extract_sync(text(0))
    table = pyarrow.table({"text": [text(row) for row in range(1, asked.rows + 1)]})
    meter = Meter()
    done = people.map_table(table)
    report = meter.report(0)
    # Comparing is not what a table costs.
    rows = done.select(["name", "age", "occupation"]).to_pylist()
    return {**report, "ok": sum(Person(**person).is_of(row) for row, person in enumerate(rows, start=1))}


CLIENTS = {
    client.__name__: client
    for client in (instructor, openai_parse, aiohttp_orjson, litellm, flexllm, as_completed, gather, map_table)
}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("client", choices=CLIENTS)
    options.add_argument("--base", required=True)
    options.add_argument("--rows", type=int, required=True)
    options.add_argument("--in-flight", type=int, required=True)
    asked = options.parse_args()
    print(json.dumps(CLIENTS[asked.client](asked)))


if __name__ == "__main__":
    main()
