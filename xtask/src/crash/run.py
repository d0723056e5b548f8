"""A run with the Python package that takes the arguments of the command line, so that it can be killed instead."""

import argparse

import rowcall
from pydantic import BaseModel


class Person(BaseModel):
    """The type in `--schema`."""

    name: str
    age: int
    occupation: str


arguments = argparse.ArgumentParser()
arguments.add_argument("run", choices=["run"])
arguments.add_argument("input")
arguments.add_argument("-o", "--output")
arguments.add_argument("--prompt")
arguments.add_argument("--schema", choices=["name, age int, occupation"])
arguments.add_argument("-m", "--model")
arguments.add_argument("--base-url")
arguments.add_argument("--quiet", action="store_true")
arguments.add_argument("--concurrency", type=int)
given = arguments.parse_args()

rowcall.run(
    given.input,
    given.output,
    Person,
    model=given.model,
    prompt=given.prompt,
    base_url=given.base_url,
    concurrency=given.concurrency,
    progress=not given.quiet,
)
