"""A DuckDB that can answer one question and do nothing else: no files, no network, no settings, no end.

In memory and fresh for each question: no look into files or the process, no extensions, the configuration
locked, memory and time limited. DuckDB's own parser says what a text is before it runs: exactly one SELECT,
over tables that its caller knows (docs/adr/0018).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from mesh.query.names import TableName

_LOCKED_IN: Final[Mapping[str, str | bool | int | float | list[str]]] = {
    "enable_external_access": False,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    "max_temp_directory_size": "0B",
    "threads": 1,
}
_NODES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "RECURSIVE_CTE_NODE"})
TABLES: Final = frozenset(
    {"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EMPTY", "EMPTY_FROM", "EXPRESSION_LIST"}
)
_TABLE_FUNCTIONS: Final = frozenset({"range", "generate_series", "unnest"})
_NO_FUNCTIONS: Final = frozenset(
    {"sleep_ms", "write_log", "current_setting", "getvariable", "getenv", "nextval", "currval", "query"}
)
_AGAIN_SECONDS: Final = 0.05


class Refused(Exception):
    """Why a text is no question, in words that go on after «the query»."""

    def __init__(self, why: str, position: int | None = None) -> None:
        super().__init__(why)
        self.position = position  #: where it stops being SQL, when that is the reason


@contextmanager
def opened(megabytes: int) -> Iterator[Any]:
    """A connection of its own. Register what may be asked of, then set `lock_configuration`."""
    import duckdb

    connection = duckdb.connect(":memory:", config={**_LOCKED_IN, "memory_limit": f"{megabytes}MB"})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


@contextmanager
def interrupted_after(connection: Any, seconds: float) -> Iterator[None]:
    """What runs on the connection then ends with duckdb.InterruptException."""
    done = threading.Event()

    def interrupt() -> None:
        # Again and again: a query that begins forgets that it was interrupted before.
        ended = done.wait(seconds)
        while not ended:
            connection.interrupt()
            ended = done.wait(_AGAIN_SECONDS)

    watch = threading.Thread(target=interrupt, name="end of a query", daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()
        watch.join()


def tables_of(
    connection: Any, query: str, kinds: Collection[str] = TABLES
) -> tuple[frozenset[TableName], frozenset[str]]:
    """The tables that a query reads, and all names of columns in it; raises Refused for what is no SELECT."""
    parts = list(_walk(_tree(connection, query)))
    known = {name.casefold() for part in parts for name in _named_queries(part)}
    for part in parts:
        _require_allowed(part, kinds)
    tables = {
        TableName(str(part["table_name"]), part.get("schema_name") or "", part.get("catalog_name") or "")
        for part in parts
        if part.get("type") == "BASE_TABLE" and "class" not in part
    }
    named = {name for part in parts for name in part.get("column_names", ()) if isinstance(name, str)}
    return frozenset(t for t in tables if t.schema or t.table.casefold() not in known), frozenset(named)


def _tree(connection: Any, query: str) -> Any:
    import duckdb

    if not _is_text(query):
        raise Refused("is no text: it holds half of a character")
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise Refused(f"is no SQL: {first_line(error)}", _position(connection, query)) from None
    if len(statements) != 1:
        raise Refused(f"is {len(statements)} statements, and one is asked")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise Refused(f"is a statement of type {statements[0].type.name}, and only SELECT is asked")
    tree = _serialized(connection, query)
    if tree.get("error"):
        raise Refused("is no plain SELECT")
    return tree


def _serialized(connection: Any, query: str) -> dict[str, Any]:
    # All rows: after a part of them, the connection would take nothing else.
    ((text,),) = connection.execute("SELECT CAST(json_serialize_sql(?) AS VARCHAR)", [query]).fetchall()
    tree: dict[str, Any] = json.loads(text)
    return tree


def _position(connection: Any, query: str) -> int:
    return int(_serialized(connection, query).get("position") or 0)


def _is_text(query: str) -> bool:
    try:
        query.encode()
    except UnicodeEncodeError:
        return False
    return True


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


def _require_allowed(part: Mapping[str, Any], kinds: Collection[str]) -> None:
    kind = str(part.get("type", ""))
    if part.get("class") == "FUNCTION" and str(part.get("function_name", "")).casefold() in _NO_FUNCTIONS:
        raise Refused(f"calls {part['function_name']}, which none may")
    if kind.endswith("_NODE") and kind not in _NODES:
        raise Refused("changes something, and only looking is asked")
    if "class" in part or "query_location" not in part:
        return
    if kind not in kinds or (kind == "SHOW_REF" and not part.get("query")):
        raise Refused("looks at something other than its tables")
    if kind == "TABLE_FUNCTION":
        called = str(part["function"].get("function_name", "")).casefold()
        if called not in _TABLE_FUNCTIONS:
            raise Refused(f"reads from {called}, and it may read its tables only")


def first_line(error: BaseException) -> str:
    """What DuckDB says first, without the excerpt of the query."""
    lines = str(error).splitlines()
    return lines[0][:300] if lines else type(error).__name__
