"""Products put where a query looks for them: views over tables that are read as the query needs them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from itertools import count
from typing import Any, Final

from mesh.query.names import TableName
from mesh.query.table import (
    FACTS,
    OFFSET,
    PARTITION,
    PUBLISHED,
    Bounds,
    KeysTable,
    ProductTable,
    Reads,
    Topic,
)

#: What a complete compaction would leave: the latest record of each key on its partition.
_LATEST: Final = (
    f"({PARTITION}, {OFFSET}) IN "  # noqa: S608 - nothing here comes from outside
    f"(SELECT ({PARTITION}, max({OFFSET})) FROM __keys_{{number}} GROUP BY key, {PARTITION})"
)


class Views:
    """The tables of one query. `named` are the columns it names, `since` and `until` bound every table."""

    def __init__(
        self,
        connection: Any,
        reads: Reads,
        named: Collection[str],
        since: datetime | None,
        until: datetime | None,
    ) -> None:
        self._connection = connection
        self._reads = reads
        asked = {name.casefold() for name in named}
        self._facts = [fact for fact in FACTS if fact in asked]
        bounds = [(">=", since), ("<", until)]
        self._within = [
            f"{PUBLISHED} {how} TIMESTAMPTZ '{at.isoformat()}'" for how, at in bounds if at is not None
        ]
        self._numbers = count()

    def add(self, table: TableName, topic: Topic, bounds: Bounds, *, every_event: bool) -> None:
        """Put a topic where the query looks for `table`; of a compacted one the latest, or every event."""
        contract, number = topic.port.contract, next(self._numbers)
        latest = "compact" in contract.settings.cleanup_policy and bool(contract.key) and not every_event
        needed = {*self._facts, *((PARTITION, OFFSET) if latest else ())}
        if self._within:
            needed.add(PUBLISHED)
        events = ProductTable(topic, bounds, [fact for fact in FACTS if fact in needed], self._reads)
        self._connection.register(f"__events_{number}", events)
        conditions = list(self._within)
        if latest:
            self._connection.register(f"__keys_{number}", KeysTable(topic, bounds, self._reads))
            conditions.append(_LATEST.format(number=number))
        shown = [name for name in events.schema.names if name not in needed or name in self._facts]
        text = f"SELECT {', '.join(map(_quoted, shown))} FROM __events_{number}"  # noqa: S608 - quoted
        text += f" WHERE {' AND '.join(conditions)}" if conditions else ""
        self._connection.execute(f"CREATE VIEW IF NOT EXISTS {self._place(table)} AS {text}")

    def _place(self, table: TableName) -> str:
        if not table.schema:
            return _quoted(table.table)
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(table.schema)}")
        return f"{_quoted(table.schema)}.{_quoted(table.table)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
