"""A stream worker of its own for tests: contracts from the repository, schemas from memory, Kafka for real.

What it imports takes longer than what it does, so workers are forked from one process that has it all; a fork
is killed, stopped and woken like any other process. `mark` sets the topics of one test apart from another's.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import faust.transport.drivers.aiokafka  # noqa: F401  (once for all workers)
import pyarrow as pa

from domains.punctuality import route_delays
from domains.punctuality.route_delays import WINDOW, DelayTotals
from mesh.adapters.kafka_transactions import TransactionalSender
from mesh.contract.reading import read_contract
from mesh.decoding import Decoder
from mesh.errors import RegistryError
from mesh.event import EventIds
from mesh.interfaces import Sender
from mesh.port import OutputPort
from mesh.publishing import Publisher
from mesh.schema import AvroSchema
from mesh.streams import Key, Stop, WindowedStream
from mesh.streams.process import EXIT_WITH_PARENT, run_process
from mesh.streams.runtime import Pace
from mesh.streams.worker import run_stream

ROOT = Path(__file__).parents[2]
SOURCE_ID, WINDOWS_ID = 1, 2
#: Small transactions, so that there are many moments between them; the shortest session that brokers take.
PACE = Pace(events=1_000, within_seconds=0.1, session_seconds=6.0, heartbeat_seconds=0.5)


def port(domain: str, product: str, mark: str) -> OutputPort:
    """The port of a contract in the repository, on a topic of its own."""
    name = f"{domain}.{product}.v1"
    text = (ROOT / "contracts" / domain / f"{product}.v1.odcs.yaml").read_text()
    marked = text.replace(name, f"{domain}.{product}-{mark}.v1")
    return OutputPort(read_contract(marked.encode(), name))


def source_port(mark: str) -> OutputPort:
    return port("operations", "departures", mark)


def windows_port(mark: str) -> OutputPort:
    return port("punctuality", "route-delays", mark)


class Schemas:
    """A registry of one schema."""

    def __init__(self, schema: AvroSchema, schema_id: int = SOURCE_ID) -> None:
        self._schema = schema
        self._schema_id = schema_id

    def schema(self, schema_id: int) -> AvroSchema:
        if schema_id != self._schema_id:
            raise RegistryError(f"no schema {schema_id}", status=404)
        return self._schema


def publisher(of: OutputPort, schema_id: int, sender: Sender) -> Publisher:
    return Publisher(of, schema_id, sender, EventIds(uuid4().bytes[:8]), lambda: datetime.now(UTC))


def to_event(key: Key, totals: DelayTotals) -> dict[str, Any]:
    return dict(route_delays.to_event(*key, totals))


def summarise(batch: pa.RecordBatch) -> Mapping[Key, DelayTotals]:
    return route_delays.summarise(batch)


STREAM = WindowedStream(
    product="punctuality.route-delays",
    reads="operations.departures",
    window=WINDOW,
    totals=DelayTotals,
    summarise=summarise,
    merge=DelayTotals.merge,
    to_event=to_event,
)


def failing(after: int, fail: Callable[[], None]) -> WindowedStream[DelayTotals]:
    """The stream, with a function that fails, in whatever way, after so many batches."""
    left = iter(range(after))

    def summarise_at_first(batch: pa.RecordBatch) -> Mapping[Key, DelayTotals]:
        if next(left, None) is None:
            fail()
        return summarise(batch)

    return replace(STREAM, summarise=summarise_at_first)


def divide_by_zero() -> None:
    raise ZeroDivisionError("on purpose")


def stand_still() -> None:
    """As a machine that is suspended: nothing of the process runs until somebody wakes it."""
    os.kill(os.getpid(), signal.SIGSTOP)


class StoppedSender(TransactionalSender):
    """Stands still when everything of a transaction is sent and nothing committed, after so many commits."""

    def __init__(self, bootstrap: str, name: str, after: int) -> None:
        super().__init__(bootstrap, name)
        self._left = iter(range(after))

    def commit(self, positions: Mapping[tuple[str, int], int], member: bytes) -> None:
        if next(self._left, None) is None:
            stand_still()
        super().commit(positions, member)


def work(given: Mapping[str, Any], stdin: Connection, stderr: str) -> None:
    """A worker's process from its first line on: its input and its errors are the test's."""
    os.dup2(stdin.fileno(), 0)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  (multiprocessing gave it nothing to read)
    with open(stderr, "wb") as said:
        os.dup2(said.fileno(), 2)
    run_process(lambda _, stop: run(given, stop), [EXIT_WITH_PARENT], patience=3.0)


def run(given: Mapping[str, Any], stop: Stop) -> None:
    bootstrap, mark = given["bootstrap"], given["mark"]
    stream = STREAM
    if "fails_after" in given:
        stream = failing(given["fails_after"], divide_by_zero)
    if "stops_counting_after" in given:
        stream = failing(given["stops_counting_after"], stand_still)
    source, windows = source_port(mark), windows_port(mark)
    group = f"punctuality.route-delays-{mark}"

    def transactions() -> TransactionalSender:
        if "stops_committing_after" in given:
            return StoppedSender(bootstrap, group, given["stops_committing_after"])
        return TransactionalSender(bootstrap, group)

    run_stream(
        stream,
        bootstrap=bootstrap,
        source=source,
        decoder=Decoder(source, Schemas(source.schema)),
        tables={},
        transactions=transactions,
        publisher=lambda sender: publisher(windows, WINDOWS_ID, sender),
        group=group,
        state_dir=Path(given["state"]),
        stop=stop,
        pace=PACE,
    )
