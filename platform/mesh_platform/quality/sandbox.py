"""SQL rules in the sandbox: one question about a window, and nothing else can be asked (docs/adr/0018)."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pyarrow as pa

from mesh import limits
from mesh.query.sandbox import Refused, first_line, interrupted_after, opened, tables_of
from mesh_platform.quality.places import Obstacle

Answer = int | float | bool


def ask(query: str, name: str, window: pa.RecordBatch | pa.Table) -> Answer:
    """The one number, or true or false, that a query says of a window called `name`.

    Raises Obstacle for a text that is no such question, or that takes too much.
    """
    import duckdb

    if len(query) > limits.SQL_LENGTH:
        raise Obstacle(f"its query is longer than {limits.SQL_LENGTH:,} characters")
    try:
        with opened(limits.SQL_MEGABYTES) as connection:
            _require_window_only(connection, query, name)
            connection.register(name, _readable(window))
            connection.execute("SET lock_configuration = true")
            return _scalar(_in_time(duckdb, connection, query))
    except Refused as why:
        raise Obstacle(f"its query {why}") from None
    except duckdb.Error as error:
        raise Obstacle(f"DuckDB refuses its query: {first_line(error)}") from None


def _require_window_only(connection: Any, query: str, name: str) -> None:
    tables, _ = tables_of(connection, query)
    for table in tables:
        if str(table).casefold() != name.casefold():
            raise Refused(f"reads {table}, and a rule reads the window only")


def _in_time(duckdb: Any, connection: Any, query: str) -> list[tuple[Any, ...]]:
    try:
        with interrupted_after(connection, limits.SQL_SECONDS):
            rows: list[tuple[Any, ...]] = connection.execute(query).fetchmany(2)
            return rows
    except duckdb.InterruptException:
        raise Obstacle(f"its query takes longer than {limits.SQL_SECONDS:g} s") from None
    except duckdb.OutOfMemoryException:
        raise Obstacle(f"its query needs more than {limits.SQL_MEGABYTES} MB") from None


def _scalar(rows: list[tuple[Any, ...]]) -> Answer:
    if len(rows) != 1 or len(rows[0]) != 1:
        raise Obstacle("its query answers with a table, and one number, true or false is asked")
    (value,) = rows[0]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bool | int | float) and math.isfinite(value):
        return value
    raise Obstacle(f"its query answers with {value!r}, and one number, true or false is asked"[:300])


def _readable(window: pa.RecordBatch | pa.Table) -> pa.Table:
    """Without the columns that DuckDB does not read: decimals beyond 38 digits."""
    table = window if isinstance(window, pa.Table) else pa.Table.from_batches([window])
    return table.select([f.name for f in table.schema if not pa.types.is_decimal256(f.type)])
