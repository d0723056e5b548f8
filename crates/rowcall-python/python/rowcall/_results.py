"""Converts values and failures of `gather`, or outcomes, to a table with the columns of `map_table`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from . import _rows
from ._errors import RowError
from ._rowcall import Outcome


def to_table(results: Iterable[Any]) -> Any:
    """The results as a table: a DataFrame if pandas or Polars is imported, otherwise a `pyarrow.Table`.

    Args:
        results: The results of `gather(rows, return_exceptions=True)`, or outcomes of `as_completed` or `ordered`.

    Returns:
        A table with a column for each field of the values, `value` for values without fields, and `_error` with `kind`, `message`,
        `violations` and the last answer's `text`. Outcomes also have their `_index`.
    """
    records = [_record(result) for result in results]
    if "pandas" in sys.modules:
        import pandas  # type: ignore[import-untyped,unused-ignore]

        return pandas.DataFrame.from_records(records)
    if "polars" in sys.modules:
        import polars

        return polars.from_dicts(records, infer_schema_length=None)
    import pyarrow  # type: ignore[import-untyped,unused-ignore]

    names = dict.fromkeys(name for record in records for name in record)
    return pyarrow.Table.from_pylist([{name: record.get(name) for name in names} for record in records])


def _record(result: Any) -> dict[str, Any]:
    if isinstance(result, Outcome):
        found = result.value if result.ok else result.error
        return {"_index": result.index, **_record(found)}
    if isinstance(result, BaseException):
        return {"_error": _error(result)}
    value = _rows.plain_value(result)
    return {**(value if isinstance(value, dict) else {"value": value}), "_error": None}


def _error(error: BaseException) -> dict[str, Any]:
    if not isinstance(error, RowError):
        return {"kind": type(error).__name__, "message": str(error), "violations": [], "text": None}
    violations = [{"path": found.path, "message": found.message} for found in error.violations]
    return {"kind": error.kind, "message": error.message, "violations": violations, "text": error.text}
