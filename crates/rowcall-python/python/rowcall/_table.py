"""Columns of values beside the columns of a table, in the table's own kind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sized
from importlib.util import find_spec
from typing import Any

from . import _kept

_LAZY = "; `collect()` makes one of it"


def is_table(found: Any) -> bool:
    """Whether it is a table, over whose rows nobody iterates."""
    has_columns = hasattr(found, "columns") or hasattr(found, "column_names")
    return (hasattr(found, "__arrow_c_stream__") and has_columns) or (_kind(found) == "pandas" and has_columns)


def exported(table: Any, needed: Callable[[list[str]], list[bool]]) -> tuple[Any, list[str] | None]:
    """What the engine can read of a table, by Arrow's PyCapsule interface, and the names of its columns, if not all of them are
    handed over: pandas' columns may be of anything, so only those go along that are `needed`.

    Raises:
        TypeError: for what has none.
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


def rows(table: Any) -> int | None:
    """How many rows the table has, if it tells."""
    return len(table) if isinstance(table, Sized) else None


def joined(table: Any, run: Any) -> Any:
    """The table with the columns that `run` has made."""
    kind = _kind(table)
    if kind == "pandas":
        # The columns that are there stay the very same: nothing is converted to and fro.
        import pandas  # type: ignore[import-untyped,unused-ignore]
        import pyarrow  # type: ignore[import-untyped,unused-ignore]

        # Where values are missing, numbers stay whole and flags stay flags.
        nullable = {pyarrow.int64(): pandas.Int64Dtype(), pyarrow.bool_(): pandas.BooleanDtype()}
        made = pyarrow.table(run.table(False))

        def series(column: Any) -> Any:
            if pyarrow.types.is_nested(column.type):
                # By themselves they would make fractions of whole numbers beside missing ones.
                return pandas.Series(column.to_pylist(), dtype=object)
            return column.to_pandas(types_mapper=nullable.get if column.null_count else None)

        columns = {name: series(column) for name, column in zip(made.column_names, made.columns)}
        return pandas.concat([table, pandas.DataFrame(columns).set_axis(table.index)], axis="columns")
    if kind == "polars":
        import polars

        added = polars.DataFrame(run.table(False))
        return table.hstack(added) if isinstance(table, polars.DataFrame) else polars.DataFrame(run.table(True))
    if kind == "pyarrow":
        import pyarrow  # type: ignore[import-untyped,unused-ignore]

        if isinstance(table, pyarrow.Table):
            added = pyarrow.table(run.table(False))
            for name in added.column_names:
                table = table.append_column(added.schema.field(name), added.column(name))
            return table
    made = run.table(True)
    if find_spec("pyarrow") is None:
        return made
    import pyarrow  # type: ignore[import-untyped,unused-ignore]

    return pyarrow.table(made)


def keep(error: BaseException, table: Any, run: Any, journal: str | None) -> None:
    """Puts the table as far as it has come on the exception that ended its call."""
    try:
        made = joined(table, run)
    except Exception:
        # What is raised already says more.
        return
    _kept.keep(error, made, run.done(), journal)


def _kind(table: Any) -> str:
    """Which of the libraries that are imported it is a table of, also by a class of somebody else's."""
    for library, *kinds in (("pandas", "DataFrame"), ("polars", "DataFrame", "Series"), ("pyarrow", "Table", "RecordBatch")):
        module = sys.modules.get(library)
        if module is not None and isinstance(table, tuple(getattr(module, kind) for kind in kinds if hasattr(module, kind))):
            return library
    return ""
