"""Sends rows to a server with Instructor, 20 in flight, and prints how many values it got."""

import asyncio
import sys

import instructor
from openai import AsyncOpenAI
from pydantic import BaseModel

IN_FLIGHT = 20
RETRIES = 5


class Person(BaseModel):
    name: str
    age: int
    occupation: str


async def main(base: str, rows: int) -> int:
    client = instructor.from_openai(AsyncOpenAI(base_url=base, api_key="none", max_retries=RETRIES))
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def ask(row: int) -> Person:
        async with slots:
            return await client.chat.completions.create(
                model="sim",
                response_model=Person,
                messages=[{"role": "user", "content": f"Extract the person: [row {row}] Ann is a {20 + row % 60}-year-old nurse"}],
            )

    values = await asyncio.gather(*(ask(row) for row in range(rows)), return_exceptions=True)
    return sum(isinstance(value, Person) for value in values)


print(asyncio.run(main(sys.argv[1], int(sys.argv[2]))))
