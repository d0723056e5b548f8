"""The type of the values, as a JSON Schema for the engine and rules that validate: Pydantic for its models, dataclasses, typed
dicts, enums, literals and scalars, msgspec for its structs. The engine itself validates against a given JSON Schema."""

from __future__ import annotations

import json
import re
import sys
import typing
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from . import _rows
from ._rowcall import Rules


Check = Callable[[Any, Any], Any]
"""The user's rule. It gets a row and its value and returns nothing, an error message, or a list of messages or `(path, message)` pairs."""

_PATH = re.compile(r" - at `\$?(.*)`$")


class Model(NamedTuple):
    """The type of the values."""

    schema: dict[str, Any]
    """The schema that is requested."""
    output_schema: dict[str, Any] | None
    """The schema of serialized instances, where it differs."""
    rules: Rules | None
    """Rules that validate in Python; `None` if the schema alone decides."""
    name: str
    dump: Callable[[Any], bytes]
    """Serializes an instance to JSON."""
    schema_is_given: bool
    """Whether the user gave the schema itself, instead of a type."""
    response: Any
    """The type or the schema itself."""

    def fingerprint(self) -> str | None:
        """A hash that distinguishes the model from others of the same name: of its schema and, where available, its source."""
        if self.rules is None:
            return None
        import hashlib
        import inspect

        known = json.dumps(self.schema, sort_keys=True)
        try:
            known += inspect.getsource(self.response)
        except (OSError, TypeError):
            # Defined at an interactive prompt, or not a class.
            pass
        return hashlib.sha256(known.encode()).hexdigest()

    def plain(self, value: Any) -> Any:
        """A value as plain JSON, from an instance or an already plain value."""
        try:
            return json.loads(json.dumps(value))
        except TypeError:
            return json.loads(self.dump(value))


def model(response: Any, context: Any = None, check: Check | None = None) -> Model:
    """The model for a `response` type or schema.

    Raises:
        TypeError: if values cannot be validated against it.
    """
    if check is not None and (not callable(check) or _is_async(check)):
        kind = "a coroutine function" if callable(check) else f"a `{type(check).__name__}`"
        raise TypeError(f"`check` is {kind}, expected a function of a row and its value")
    if isinstance(response, dict):
        if context is not None:
            raise TypeError("a JSON Schema validates without a context, expected a Pydantic model for `context=`")
        rules = None if check is None else Rules(json.loads, _explains_nothing, _as_json, None, None, _found_by(check), True)
        return Model(response, None, rules, str(response.get("title", "value")), _as_json, True, response)
    _check_type(response)
    name = getattr(response, "__name__", str(response))
    if _is_of_msgspec(response):
        return _of_msgspec(response, name, check)
    return _of_pydantic(response, context, check, name)


def _check_type(response: Any) -> None:
    if isinstance(response, str):
        raise TypeError(f"`{response}` is a string, expected a type or a JSON Schema; pass the model's name as `model=`")
    if response is None:
        raise TypeError("the type of the values is None, expected a type or a JSON Schema")
    kind = type(response)
    if kind.__name__ in ("function", "builtin_function_or_method", "method"):
        raise TypeError(f"`{response.__name__}` is a function, expected a type or a JSON Schema; pass your own rules as `check=`")
    marks = ("__pydantic_serializer__", "__struct_fields__", "__dataclass_fields__")
    if not isinstance(response, type) and any(hasattr(kind, mark) for mark in marks):
        raise TypeError(f"an instance of `{kind.__name__}` was given, expected the type itself: `Extractor({kind.__name__}, …)`")


def _is_async(check: Any) -> bool:
    code = getattr(check, "__code__", None)
    return bool(code and code.co_flags & 0x80)


def _found_by(check: Check) -> Callable[[Any, Any], list[tuple[str, str]]]:
    """The user's rule, wrapped to return violations."""

    def find(row: Any, value: Any) -> list[tuple[str, str]]:
        try:
            found = check(row, value)
        except (ValueError, AssertionError) as error:
            return [("", str(error) or "the value was rejected")]
        if found is None or found is True or found == "":
            return []
        if found is False:
            return [("", "the value was rejected")]
        if isinstance(found, str):
            return [("", found)]
        return [("", each) if isinstance(each, str) else (str(each[0]), str(each[1])) for each in found]

    return find


def _explains_nothing(_: BaseException) -> None:
    return None


def _of_pydantic(response: Any, context: Any, check: Check | None, name: str) -> Model:
    from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(response)
        schema = adapter.json_schema(mode="validation")
        output = adapter.json_schema(mode="serialization")
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        raise TypeError(f"values cannot be validated against `{name}`: {error}") from error

    def explain(error: BaseException) -> list[tuple[str, str]] | None:
        if not isinstance(error, ValidationError):
            return None
        found = error.errors(include_url=False, include_context=False)
        return [(_pointer(each["loc"]), f"{each['msg']}{_got(each)}") for each in found]

    serializer = adapter.serializer

    def dump(instance: Any) -> bytes:
        return serializer.to_json(instance, by_alias=True)

    is_plain = context is None or isinstance(context, Mapping)
    sees_rows = callable(context) or (is_plain and _takes_info(adapter.core_schema))
    keywords = None if context is None or callable(context) else {"context": context}
    rules = Rules(
        adapter.validator.validate_json,
        explain,
        dump,
        keywords,
        _context_of(context) if sees_rows else None,
        None if check is None else _found_by(check),
    )
    return Model(schema, None if output == schema else output, rules, name, dump, False, response)


def _context_of(context: Any) -> Callable[[Any], dict[str, Any]]:
    """A function from a row to the keyword arguments of its validation."""

    def keywords(row: Any) -> dict[str, Any]:
        given = context(row) if callable(context) else context
        if given is None:
            return {"context": {"row": row}}
        return {"context": {"row": row, **given} if isinstance(given, Mapping) else given}

    return keywords


def _takes_info(schema: Any) -> bool:
    """Whether one of the user's validators takes `info`, which has the context."""
    seen, open_ = set(), [schema]
    while open_:
        part = open_.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            if part.get("type") == "with-info":
                return True
            open_.extend(part.values())
        elif isinstance(part, (list, tuple)):
            open_.extend(part)
    return False


def _got(found: Any) -> str:
    if found["type"] == "missing" or isinstance(found["input"], (dict, list)):
        return ""
    shown = repr(found["input"])
    return f" (got {shown if len(shown) <= 60 else shown[:59] + '…'})"


def _pointer(path: tuple[Any, ...]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _of_msgspec(response: Any, name: str, check: Check | None) -> Model:
    import msgspec

    decoder = msgspec.json.Decoder(response)
    dump = msgspec.json.Encoder().encode
    found_by = None if check is None else _found_by(check)
    rules = Rules(decoder.decode, explained_by_msgspec, dump, None, None, found_by)
    return Model(msgspec.json.schema(response), None, rules, name, dump, False, response)


def explained_by_msgspec(error: BaseException) -> list[tuple[str, str]] | None:
    """The violation that a msgspec exception reports, if it does."""
    import msgspec

    if not isinstance(error, msgspec.ValidationError):
        return None
    message = str(error)
    found = _PATH.search(message)
    if found is None:
        return [("", message)]
    # For keys that are not fields of a struct, msgspec writes only `[...]`.
    known, further, inside = found[1].partition("[...]")
    steps = re.findall(r"\.([^.\[]+)|\[(\d+)\]", known)
    rest = f" (at `{further}{inside}` in it)" if further else ""
    return [(_pointer(tuple(name or index for name, index in steps)), message[: found.start()] + rest)]


def _as_json(value: Any) -> bytes:
    return json.dumps(value, default=_rows.plain).encode()


def _is_of_msgspec(response: Any) -> bool:
    if "msgspec" not in sys.modules:
        return False
    if hasattr(response, "__struct_fields__"):
        return True
    return any(_is_of_msgspec(part) for part in typing.get_args(response))
