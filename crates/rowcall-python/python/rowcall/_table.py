"""Adds columns of values to a table, keeping its kind, and selects which of its rows are asked about."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sized
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

from . import _kept, _rows, _shown
from ._errors import ConfigError

_LAZY = "; call its `collect()`"

_ERROR = "_error"
_META = "_meta"
_UNVALIDATED = "_unvalidated"


FailedRows = Literal["error", "skip", "ask"]
"""What to do with rows that failed in an earlier step: fail them again without asking, skip them, or ask about them."""


class Part(NamedTuple):
    """The part of a table that is asked about."""

    table: Any
    """The table whose columns are kept."""
    only: list[bool] | None
    """For each row, whether it is asked about; `None` for all."""
    failed: list[tuple[int, str]]
    """Rows that failed in an earlier step and fail again, with their errors as JSON."""
    notes: list[str]
    """Notes for the log."""


_READERS = ("__arrow_c_stream__", "__arrow_c_array__", "fetch_arrow_table", "to_arrow")
"""Methods that read a table of an unknown library. A lazy frame, which warns when asked for its columns, has none of them."""


def is_table(found: Any) -> bool:
    """Whether it is a table, which must not be iterated over."""
    # Look at the columns last: a lazy frame warns when asked for them.
    return (hasattr(found, "__arrow_c_stream__") or _kind(found) == "pandas") and (hasattr(found, "columns") or hasattr(found, "column_names"))


def part(table: Any, only: Any, failed_rows: str) -> Part:
    """The part of a table that is asked about: the rows for which `only` is true, or all. The output of an earlier step loses its
    `_error` and `_meta`, and `failed_rows` decides about rows that failed in it.

    Raises:
        ConfigError: for an `only` that does not match the table, or an unknown `failed_rows`.
    """
    if failed_rows not in ("error", "skip", "ask"):
        raise ConfigError(f"`failed_rows` is `{failed_rows}`, expected `error`, `skip` or `ask`")
    if only is not None:
        return Part(table, _mask(table, only), [], [])
    if _ERROR not in _names(table):
        return Part(table, None, [], [])
    if _kind(table) not in ("pandas", "polars", "pyarrow") and find_spec("pyarrow") is not None:
        import pyarrow  # type: ignore[import-untyped,unused-ignore]

        table = pyarrow.table(table)
    failed = [(row, error) for row, error in enumerate(_column(table, _ERROR)) if _has_failed(error)]
    own = [name for name in _names(table) if name in (_ERROR, _META, _UNVALIDATED) or name.startswith(f"{_META}_")]
    notes = [f"the table is the output of an earlier step: its `{'`, `'.join(own)}` {'is' if len(own) == 1 else 'are'} dropped"]
    table = _without(table, own)
    if not failed:
        return Part(table, None, [], notes)
    said = f"{len(failed):,} {'row' if len(failed) == 1 else 'rows'} of the table failed in an earlier step"
    if failed_rows == "skip":
        notes.append(f"{said}: skipped")
        rows = {row for row, _ in failed}
        return Part(_kept_rows(table, [row not in rows for row in range(_count(table))]), None, [], notes)
    if failed_rows == "ask":
        notes.append(f"{said}: asked about again")
        return Part(table, None, [], notes)
    notes.append(
        f'{said}: not asked about, the error is kept; `failed_rows="skip"` skips such rows, `failed_rows="ask"` asks about them'
    )
    return Part(table, None, [(row, json.dumps(error, default=_rows.plain)) for row, error in failed], notes)


def _mask(table: Any, only: Any) -> list[bool]:
    if hasattr(only, "index") and _kind(table) == "pandas" and hasattr(only, "dtype") and not only.index.equals(table.index):
        raise ConfigError("`only` and the table have different indexes", hint="make it from the same table: `only=table[\"_error\"].notna()`")
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(only, method):
            only = getattr(only, method)()
            break
    if not isinstance(only, Iterable) or isinstance(only, str):
        raise ConfigError(f"`only` is of type `{type(only).__name__}`, expected True or False for each row of the table")
    mask = list(only)
    for row, asked in enumerate(mask):
        if not (isinstance(asked, bool) or _rows.is_missing(asked) or type(asked).__name__ in ("bool_", "bool")):
            raise ConfigError(f"`only` has a `{type(asked).__name__}` at row {row}, expected True or False")
    count = rows(table)
    if count is not None and count != len(mask):
        raise ConfigError(f"`only` has {len(mask)} items, but the table has {count} rows")
    return [not _rows.is_missing(asked) and bool(asked) for asked in mask]


def _has_failed(error: Any) -> bool:
    if _rows.is_missing(error):
        return False
    return error not in ("", "null") if isinstance(error, str) else True


def _names(table: Any) -> list[str]:
    if not _kind(table) and not any(hasattr(table, method) for method in _READERS):
        return []
    found = getattr(table, "column_names", None)
    if not isinstance(found, (list, tuple)):
        found = getattr(table, "columns", None)
    try:
        return [name for name in found if isinstance(name, str)] if found is not None else []
    except TypeError:
        return []


def _column(table: Any, name: str) -> list[Any]:
    if _kind(table) == "pyarrow":
        return list(table.column(name).to_pylist())
    return list(table[name].to_list())


def _count(table: Any) -> int:
    return int(table.num_rows) if _kind(table) == "pyarrow" else len(table)


def _without(table: Any, names: list[str]) -> Any:
    kind = _kind(table)
    if kind == "pandas":
        return table.drop(columns=names)
    return table.drop(names) if kind == "polars" else table.select([name for name in table.schema.names if name not in names])


def _kept_rows(table: Any, kept: list[bool]) -> Any:
    if _kind(table) == "pandas":
        import numpy  # type: ignore[import-not-found,unused-ignore]

        return table.loc[numpy.array(kept, dtype=bool)]
    if _kind(table) == "polars":
        return table.filter(kept)
    import pyarrow  # type: ignore[import-untyped,unused-ignore]

    return table.filter(pyarrow.array(kept, pyarrow.bool_()))


def exported(table: Any, needed: Callable[[list[str]], list[bool]]) -> tuple[Any, list[str] | None]:
    """The table as an object with Arrow's PyCapsule interface, and the names of all its columns if only some are passed on: columns
    of pandas may hold anything, so only the `needed` ones are.

    Raises:
        TypeError: for an object without that interface.
    """
    if _kind(table) == "pandas":
        names = needed([name if isinstance(name, str) else "" for name in table.columns])
        if any(names):
            return _readable(table.loc[:, names]), [str(name) for name in table.columns]
    return _readable(table), None


def _readable(table: Any) -> Any:
    if hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__"):
        return table
    # pandas before 2.2, relations of DuckDB before 1.0.
    for method in ("fetch_arrow_table", "to_arrow"):
        if hasattr(table, method):
            return getattr(table, method)()
    if _kind(table) == "pandas":
        import pyarrow  # type: ignore[import-untyped,unused-ignore]

        return pyarrow.Table.from_pandas(table)
    raise TypeError(
        f"the table is of type `{type(table).__qualname__}`, expected one with Arrow's PyCapsule interface, such as a "
        f"DataFrame of pandas or Polars, a table of pyarrow or a relation of DuckDB{_LAZY if hasattr(table, 'collect') else ''}"
    )


def explain(table: Any, needed: Callable[[list[str]], list[bool]]) -> None:
    """Finds the cell that prevents a DataFrame from being read, if there is one: a value of another type than those before it.

    Raises:
        ConfigError: with the column, the row, the value and the types, if there is one.
    """
    if _kind(table) != "pandas":
        return
    import pyarrow  # type: ignore[import-untyped,unused-ignore]

    names = [name if isinstance(name, str) else "" for name in table.columns]
    for at, (name, is_needed) in enumerate(zip(names, needed(names))):
        column = table.iloc[:, at]
        if not is_needed or not _is_mixed(column, pyarrow):
            continue
        first: Any = None
        for row, value in enumerate(column):
            if not _rows.is_missing(value):
                first = value if first is None else first
                if type(value) is not type(first):
                    label = table.index[row]
                    position = f"row {row}" if label == row else f"row {row} (index `{label}`)"
                    raise ConfigError(
                        f"column `{name}` of the table has a value of type `{type(value).__name__}` at {position}: "
                        f"`{_shown.short(repr(value))}`, expected `{type(first).__name__}` like those before it",
                        hint=f"convert the column to one type: `df[{name!r}] = df[{name!r}].astype(str)`",
                    )


def _is_mixed(column: Any, pyarrow: Any) -> bool:
    try:
        pyarrow.Array.from_pandas(column)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, TypeError, ValueError):
        return True
    return False


def rows(table: Any) -> int | None:
    """The number of rows of the table, if known."""
    return len(table) if isinstance(table, Sized) else None


def joined(part: Part, run: Any) -> Any:
    """The table with the columns that `run` made. Where only some rows were asked about, existing columns keep their values for the
    others."""
    table, kind = part.table, _kind(part.table)
    if kind == "pandas":
        return _joined_pandas(table, run, part.only)
    if kind == "polars":
        return _joined_polars(table, run, part.only)
    if kind == "pyarrow":
        import pyarrow  # type: ignore[import-untyped,unused-ignore]

        if isinstance(table, pyarrow.Table):
            return _joined_pyarrow(table, run, part.only)
    if find_spec("pyarrow") is None:
        if part.only is not None:
            raise ConfigError(f"`only` needs pyarrow for a table of type `{type(table).__name__}`", hint="install it: `pip install pyarrow`")
        return run.table(True)
    import pyarrow  # type: ignore[import-untyped,unused-ignore]

    if part.only is not None:
        return _joined_pyarrow(pyarrow.table(table), run, part.only)
    return pyarrow.table(run.table(True))


def _joined_pandas(table: Any, run: Any, only: list[bool] | None) -> Any:
    # The existing columns stay the same objects: nothing is converted back and forth.
    import pandas  # type: ignore[import-untyped,unused-ignore]
    import pyarrow  # type: ignore[import-untyped,unused-ignore]

    # Where values are missing, integers stay integers and booleans stay booleans.
    nullable = {pyarrow.int64(): pandas.Int64Dtype(), pyarrow.bool_(): pandas.BooleanDtype()}
    made = pyarrow.table(run.table(False))

    def series(column: Any) -> Any:
        if pyarrow.types.is_nested(column.type):
            # pandas would turn integers into floats next to missing values.
            return pandas.Series(column.to_pylist(), dtype=object)
        return column.to_pandas(types_mapper=nullable.get if column.null_count else None)

    columns = {name: series(column) for name, column in zip(made.column_names, made.columns)}
    added = pandas.DataFrame(columns).set_axis(table.index)
    there = [] if only is None else [name for name in added.columns if name in table.columns]
    if not there:
        return pandas.concat([table, added], axis="columns")
    import numpy  # type: ignore[import-not-found,unused-ignore]

    asked, table = numpy.array(only, dtype=bool), table.copy(deep=False)
    for name in there:
        table[name] = added[name].where(asked, table[name].astype(added[name].dtype) if added[name].dtype == object else table[name])
    return pandas.concat([table, added.drop(columns=there)], axis="columns")


def _joined_polars(table: Any, run: Any, only: list[bool] | None) -> Any:
    import polars

    added = polars.DataFrame(run.table(False))
    if only is None:
        return table.hstack(added) if isinstance(table, polars.DataFrame) else polars.DataFrame(run.table(True))
    asked = polars.Series("asked", only, dtype=polars.Boolean)
    for column in added:
        if column.name in table.columns:
            kept = table[column.name].cast(column.dtype)
            merged = polars.select(polars.when(asked).then(column).otherwise(kept).alias(column.name)).to_series()
            table = table.with_columns(merged)
        else:
            table = table.with_columns(column)
    return table


def _joined_pyarrow(table: Any, run: Any, only: list[bool] | None) -> Any:
    import pyarrow  # type: ignore[import-untyped,unused-ignore]
    import pyarrow.compute  # type: ignore[import-untyped,unused-ignore]

    added = pyarrow.table(run.table(False))
    for name in added.column_names:
        field, column = added.schema.field(name), added.column(name)
        if only is not None and name in table.column_names:
            kept = table.column(name).cast(field.type)
            # `if_else` needs nested columns in one chunk.
            column = pyarrow.compute.if_else(pyarrow.array(only), column.combine_chunks(), kept.combine_chunks())
            table = table.set_column(table.column_names.index(name), field, column)
        else:
            table = table.append_column(field, column)
    return table


def keep(error: BaseException, part: Part, run: Any, done: int, journal: str | None) -> None:
    """Attaches the table so far to the exception that ended its call."""
    try:
        made = joined(part, run)
    except Exception:
        # The exception being raised is more useful.
        return
    _kept.keep(error, made, done, journal)


def _kind(table: Any) -> str:
    """The imported library that the table belongs to, also as a subclass; empty for others."""
    for library, *kinds in (("pandas", "DataFrame"), ("polars", "DataFrame", "Series"), ("pyarrow", "Table", "RecordBatch")):
        module = sys.modules.get(library)
        if module is not None and isinstance(table, tuple(getattr(module, kind) for kind in kinds if hasattr(module, kind))):
            return library
    return ""
