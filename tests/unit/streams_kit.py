"""Streams of plain sums for tests: events have a name, an hour and an amount."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pyarrow as pa

from mesh.errors import EventError
from mesh.streams import Key, Stateful, TableStream, WindowedStream
from mesh.streams.state import Changes, State

MIDNIGHT = datetime(2013, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
Id = TypeVar("Id")


@dataclass(frozen=True)
class Sum:
    count: int
    amount: int

    def merge(self, other: Sum) -> Sum:
        return Sum(self.count + other.count, self.amount + other.amount)


def per_window(batch: pa.RecordBatch) -> Mapping[Key, Sum]:
    return _added(batch, lambda row: (row["name"], MIDNIGHT + row["hour"] * HOUR))


def per_name(batch: pa.RecordBatch, *tables: pa.Table) -> Mapping[str, Sum]:
    renamed = {row["name"]: row["group"] for table in tables for row in table.to_pylist()}
    return _added(batch, lambda row: renamed.get(row["name"], row["name"]))


def _added(batch: pa.RecordBatch, what: Any) -> dict[Any, Sum]:
    found: dict[Any, Sum] = {}
    for row in batch.to_pylist():
        if row["amount"] < 0:
            raise EventError("an amount below nothing", code="MESH-E001")
        one = Sum(1, row["amount"])
        found[what(row)] = found[what(row)].merge(one) if what(row) in found else one
    return found


HOURLY: WindowedStream[Sum] = WindowedStream(
    product="tests.sums",
    reads="tests.amounts",
    window=HOUR,
    totals=Sum,
    summarise=per_window,
    merge=Sum.merge,
    to_event=lambda key, totals: {"name": key[0], "hour": (key[1] - MIDNIGHT) // HOUR, "count": totals.count},
)

PER_NAME: TableStream[Sum] = TableStream(
    product="tests.sums",
    reads="tests.amounts",
    totals=Sum,
    summarise=per_name,
    merge=Sum.merge,
    to_event=lambda key, totals: {"name": key, "count": totals.count, "amount": totals.amount},
)

Event = tuple[str, int, int]  # name, hour, amount


def batch(events: Sequence[Event]) -> pa.RecordBatch:
    schema = pa.schema({"name": pa.string(), "hour": pa.int64(), "amount": pa.int64()})
    rows = [{"name": name, "hour": hour, "amount": amount} for name, hour, amount in events]
    return pa.RecordBatch.from_pylist(rows, schema=schema)


class Log:
    """A state with its changelog: what is counted is kept in both, as a worker keeps it."""

    def __init__(self, stream: Stateful[Any, Sum]) -> None:
        self.stream = stream
        self.entries: dict[str, bytes] = {}
        self.state: State[Sum] = State(stream)
        self.restart()

    def count(self, *events: Event, ends: Mapping[int, int] | None = None) -> Changes:
        changes = self.state.count(batch(events), ends or {})
        for name, entry in changes.entries.items():
            if entry is None:
                self.entries.pop(name, None)
            else:
                self.entries[name] = json.dumps(entry).encode()
        self.state.keep(changes)
        return changes

    def restart(self) -> None:
        self.state = State(self.stream)
        self.state.recover({name: json.loads(entry) for name, entry in self.entries.items()})
