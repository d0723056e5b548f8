"""What the user wants values to be, as a JSON Schema for the engine and rules for the values: Pydantic is the authority on its
models, dataclasses, typed dicts, enums, literals and scalars, msgspec on its structs. A JSON Schema speaks for itself."""

from __future__ import annotations

import json
import re
import sys
import typing
from collections.abc import Callable
from typing import Any, NamedTuple

from . import _rows
from ._rowcall import Rules


_PLACE = re.compile(r" - at `\$?(.*)`$")


class Model(NamedTuple):
    """What values are to be."""

    schema: dict[str, Any]
    """What is asked for."""
    output_schema: dict[str, Any] | None
    """What instances are as JSON, where that is something else."""
    rules: Rules | None
    """Who is the authority on values; `None` if the schema is."""
    name: str
    dump: Callable[[Any], bytes]
    """From an instance to JSON."""

    def plain(self, value: Any) -> Any:
        """A value as JSON has it: an instance, or what is plain already."""
        try:
            return json.loads(json.dumps(value))
        except TypeError:
            return json.loads(self.dump(value))


def model(response: Any, context: Any) -> Model:
    """What values of `response` are to be.

    Raises:
        TypeError: for what is no type that values can be validated by.
    """
    if isinstance(response, dict):
        if context is not None:
            raise TypeError("a JSON Schema validates without a context, expected a Pydantic model for `context=`")
        return Model(response, None, None, str(response.get("title", "value")), _as_json)
    if isinstance(response, str):
        raise TypeError(f"`{response}` is a string, expected a type or a JSON Schema; the model's name is `model=`")
    name = getattr(response, "__name__", str(response))
    if _is_of_msgspec(response):
        return _of_msgspec(response, name)
    return _of_pydantic(response, context, name)


def _of_pydantic(response: Any, context: Any, name: str) -> Model:
    from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(response)
        schema = adapter.json_schema(mode="validation")
        output = adapter.json_schema(mode="serialization")
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        raise TypeError(f"`{name}` is no type that values can be validated by: {error}") from error

    def explain(error: BaseException) -> list[tuple[str, str]] | None:
        if not isinstance(error, ValidationError):
            return None
        found = error.errors(include_url=False, include_context=False)
        return [(_pointer(each["loc"]), f"{each['msg']}{_got(each)}") for each in found]

    serializer = adapter.serializer

    def dump(instance: Any) -> bytes:
        return serializer.to_json(instance, by_alias=True)

    keywords = None if context is None else {"context": context}
    rules = Rules(adapter.validator.validate_json, explain, dump, keywords)
    return Model(schema, None if output == schema else output, rules, name, dump)


def _got(found: Any) -> str:
    if found["type"] == "missing" or isinstance(found["input"], (dict, list)):
        return ""
    shown = repr(found["input"])
    return f" (got {shown if len(shown) <= 60 else shown[:59] + '…'})"


def _pointer(place: tuple[Any, ...]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)


def _of_msgspec(response: Any, name: str) -> Model:
    import msgspec

    decoder = msgspec.json.Decoder(response)
    dump = msgspec.json.Encoder().encode
    rules = Rules(decoder.decode, explained_by_msgspec, dump)
    return Model(msgspec.json.schema(response), None, rules, name, dump)


def explained_by_msgspec(error: BaseException) -> list[tuple[str, str]] | None:
    """The violation that an exception of msgspec's tells of, if it does."""
    import msgspec

    if not isinstance(error, msgspec.ValidationError):
        return None
    message = str(error)
    found = _PLACE.search(message)
    if found is None:
        return [("", message)]
    # For keys that are no fields of a struct it only says that there is one.
    known, further, inside = found[1].partition("[...]")
    steps = re.findall(r"\.([^.\[]+)|\[(\d+)\]", known)
    place_inside = f" (at `{further}{inside}` in it)" if further else ""
    return [(_pointer(tuple(name or index for name, index in steps)), message[: found.start()] + place_inside)]


def _as_json(value: Any) -> bytes:
    return json.dumps(value, default=_rows.plain).encode()


def _is_of_msgspec(response: Any) -> bool:
    if "msgspec" not in sys.modules:
        return False
    if hasattr(response, "__struct_fields__"):
        return True
    return any(_is_of_msgspec(part) for part in typing.get_args(response))
