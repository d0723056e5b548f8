"""Columns of values beside the columns of a table, in the table's own kind."""

from __future__ import annotations

from collections.abc import Sized
from importlib.util import find_spec
from typing import Any


def exported(table: Any) -> Any:
    """What the engine can read of a table, by Arrow's PyCapsule interface.

    Raises:
        TypeError: for what has none.
    """
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
        "DataFrame of pandas or Polars, a table of pyarrow or a relation of DuckDB"
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

        added = pyarrow.table(run.table(False)).to_pandas()
        added.index = table.index
        return pandas.concat([table, added], axis="columns")
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


def _kind(table: Any) -> str:
    return type(table).__module__.partition(".")[0]
