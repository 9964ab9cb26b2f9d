"""SQL rules in a sandbox: one question about a window, and nothing else can be asked.

DuckDB in memory, fresh for each question: no files, no network, no extensions, no look into the process,
the configuration locked, memory and time limited. DuckDB's own parser says what the text is before it runs:
exactly one SELECT over the window (docs/adr/0018).
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from mesh import limits
from mesh_platform.quality.places import Obstacle

Answer = int | float | bool
_SETTINGS: Final[Mapping[str, str | bool | int | float | list[str]]] = {
    "enable_external_access": False,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    "memory_limit": f"{limits.SQL_MEGABYTES}MB",
    "max_temp_directory_size": "0B",
    "threads": 1,
}
_NODES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "RECURSIVE_CTE_NODE"})
_TABLES: Final = frozenset(
    {"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EMPTY", "EMPTY_FROM", "EXPRESSION_LIST"}
)
_TABLE_FUNCTIONS: Final = frozenset({"range", "generate_series", "unnest"})
_NO_FUNCTIONS: Final = frozenset(
    {"sleep_ms", "write_log", "current_setting", "getvariable", "getenv", "nextval", "currval", "query"}
)


def ask(query: str, name: str, window: pa.RecordBatch | pa.Table) -> Answer:
    """The one number, or true or false, that a query says of a window called `name`.

    Raises Obstacle for a text that is no such question, or that takes too much.
    """
    import duckdb

    if len(query) > limits.SQL_LENGTH:
        raise Obstacle(f"its query is longer than {limits.SQL_LENGTH:,} characters")
    connection = duckdb.connect(":memory:", config=dict(_SETTINGS))
    try:
        _only_select(duckdb, connection, query, name)
        connection.execute("SET TimeZone = 'UTC'")
        connection.register(name, _readable(window))
        connection.execute("SET lock_configuration = true")
        return _scalar(_in_time(duckdb, connection, query))
    except duckdb.Error as error:
        raise Obstacle(f"DuckDB refuses its query: {_first_line(error)}") from None
    finally:
        connection.close()


def _only_select(duckdb: Any, connection: Any, query: str, name: str) -> None:
    statements = duckdb.extract_statements(query)
    if len(statements) != 1:
        raise Obstacle(f"its query is {len(statements)} statements, and one is asked")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise Obstacle(
            f"its query is a statement of type {statements[0].type.name}, and only SELECT is asked"
        )
    (text,) = connection.execute("SELECT CAST(json_serialize_sql(?) AS VARCHAR)", [query]).fetchone()
    tree = json.loads(text)
    if tree.get("error"):
        raise Obstacle("its query is no plain SELECT")
    parts = list(_walk(tree))
    known = {name.casefold()} | {entry.casefold() for part in parts for entry in _named_queries(part)}
    for part in parts:
        _allowed(part, known)


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of the tree; a stack, because a text can be deeply nested."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            yield one
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)


def _named_queries(part: Mapping[str, Any]) -> Iterator[str]:
    for entry in part.get("map", []) if isinstance(part.get("map"), list) else []:
        yield str(entry.get("key", ""))
    if part.get("type") in ("RECURSIVE_CTE_NODE", "CTE_NODE"):
        yield str(part.get("cte_name", ""))


def _allowed(part: Mapping[str, Any], known: set[str]) -> None:
    kind = str(part.get("type", ""))
    if part.get("class") == "FUNCTION" and str(part.get("function_name", "")).casefold() in _NO_FUNCTIONS:
        raise Obstacle(f"its query calls {part['function_name']}, which no rule may")
    if kind.endswith("_NODE") and kind not in _NODES:
        raise Obstacle("its query changes something, and a rule only looks")
    if "class" in part or "query_location" not in part:
        return
    if kind not in _TABLES:
        raise Obstacle("its query looks at something other than the window")
    if kind == "TABLE_FUNCTION":
        called = str(part["function"].get("function_name", "")).casefold()
        if called not in _TABLE_FUNCTIONS:
            raise Obstacle(f"its query reads from {called}, and a rule reads the window only")
    if kind == "BASE_TABLE" and (
        part.get("schema_name") or part.get("catalog_name") or str(part["table_name"]).casefold() not in known
    ):
        raise Obstacle(f"its query reads {part['table_name']}, and a rule reads the window only")


def _in_time(duckdb: Any, connection: Any, query: str) -> list[tuple[Any, ...]]:
    timer = threading.Timer(limits.SQL_SECONDS, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        rows: list[tuple[Any, ...]] = connection.execute(query).fetchmany(2)
        return rows
    except duckdb.InterruptException:
        raise Obstacle(f"its query takes longer than {limits.SQL_SECONDS:g} s") from None
    except duckdb.OutOfMemoryException:
        raise Obstacle(f"its query needs more than {limits.SQL_MEGABYTES} MB") from None
    finally:
        timer.cancel()
        timer.join()


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


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:300] if lines else type(error).__name__
