"""Converts rows and values other than strings, dicts and plain JSON. The engine calls this only for types it does not know itself."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping, Sequence, Set
from typing import Any

_AS_TEXT = ("decimal", "uuid", "pathlib", "ipaddress", "fractions", "datetime")


def fields_of(row: Any) -> dict[str, Any]:
    """The fields of a model, a dataclass, a named tuple or a mapping.

    Raises:
        TypeError: for anything else, with the type's name.
    """
    fields = _object(row)
    if fields is not None:
        return fields
    kind = type(row).__qualname__
    # A missing text in a pandas column.
    if is_missing(row):
        return {"text": None}
    raise TypeError(f"a row is of type `{kind}`, expected a string, a dict, a Pydantic model or a dataclass{_meant(row)}")


def is_missing(value: Any) -> bool:
    """Whether a value is missing: `None`, `NaN`, `NA` or `NaT`."""
    return value is None or type(value).__qualname__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)


def _meant(row: Any) -> str:
    """What the user probably meant by something that is not a row."""
    if hasattr(row, "__await__"):
        return ": pass the rows themselves, not calls of `extract`; they are processed concurrently"
    if isinstance(row, tuple) and len(row) == 2 and hasattr(row[1], "to_dict"):
        return ": iterate over a DataFrame with `df.itertuples()` or `df.to_dict(\"records\")`, or pass all of it to `map_table(df)`"
    if isinstance(row, (list, tuple)):
        return ": `gather` takes many rows, `extract` one"
    return ""


def plain(value: Any) -> Any:
    """A value in a row, converted to JSON types: dates in ISO 8601, enums by their value.

    Raises:
        TypeError: if it cannot be represented in JSON, with the type's name.
    """
    fields = _object(value)
    if fields is not None:
        return fields
    # Check for missing values of pandas first: its `NaT` is also a `datetime`.
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, (Set, range, deque)):
        return list(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"a row has a field of type `{type(value).__name__}`, expected text, numbers, lists or dicts")
    datetime = sys.modules.get("datetime")
    if datetime and isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    enum = sys.modules.get("enum")
    if enum and isinstance(value, enum.Enum):
        return value.value
    # NumPy times would become numbers of some unit; as text they are in ISO 8601.
    if type(value).__name__ in ("datetime64", "timedelta64"):
        return None if str(value) == "NaT" else str(value)
    # Arrays and columns first, then scalars of NumPy, pandas and pyarrow.
    for method in ("tolist", "item", "as_py"):
        found = getattr(value, method, None)
        if callable(found):
            return found()
    if any(kind.__module__.partition(".")[0] in _AS_TEXT for kind in type(value).__mro__):
        return str(value)
    # Other sequences.
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(
        f"a row has a field of type `{type(value).__qualname__}`, expected text, numbers, dates, lists, dicts or models"
    )


def plain_value(value: Any) -> Any:
    """A value with its fields as they are, one level deep: dates stay dates."""
    if hasattr(type(value), "__pydantic_serializer__") and hasattr(value, "model_dump"):
        return value.model_dump()
    fields = _object(value)
    return value if fields is None else fields


def _object(value: Any) -> dict[str, Any] | None:
    kind = type(value)
    if hasattr(kind, "__pydantic_serializer__") and hasattr(value, "model_dump"):
        return value.model_dump(mode="json")  # type: ignore[no-any-return]
    # Avoid the slow import: a dataclass exists only if `dataclasses` is imported.
    dataclasses = sys.modules.get("dataclasses")
    if dataclasses and dataclasses.is_dataclass(value) and not isinstance(value, type):
        # One level only: nested values are converted in turn.
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(kind, "__struct_fields__"):
        return {name: getattr(value, name) for name in kind.__struct_fields__}
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return dict(zip(kind._fields, value))
    return None
