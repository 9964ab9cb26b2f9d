"""A broker in memory, as far as a pipeline sees it: records, a member, transactions that end as told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from mesh.codec import to_batch
from mesh.decoding import Decoder
from mesh.errors import MeshError
from mesh.event import EventIds, frame_prefix
from mesh.interfaces import Message, Partition
from mesh.pipelines import Figures, Pace, Pipeline, PipelineRun
from mesh.pipelines.intake import Input, Intake
from mesh.port import OutputPort
from mesh.publishing import Publisher
from mesh.schema import AvroSchema
from mesh.writers import Patience
from tests.conformance.declared import declaration

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
KNOWN = 7


def port(name: str) -> OutputPort:
    (contract,) = declaration(name).contracts.values()
    return OutputPort(contract)


@dataclass(frozen=True)
class Record:
    """One record of a topic; what is read of it is what the official client's messages have."""

    place: Partition
    number: int
    body: bytes | None
    name: bytes | None = b"s-1"

    def topic(self) -> str:
        return self.place[0]

    def partition(self) -> int:
        return self.place[1]

    def offset(self) -> int:
        return self.number

    def key(self) -> bytes | None:
        return self.name

    def value(self) -> bytes | None:
        return self.body

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return [("mine", b"kept")]

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_000


@dataclass
class Sent:
    """One record as it was handed to a sender."""

    topic: str
    value: bytes | None
    headers: dict[str, bytes | None]


@dataclass
class BrokerTwin:
    """Records by partition, what is committed, and what transactions have made of both."""

    records: dict[Partition, list[Record]] = field(default_factory=dict)
    committed: dict[Partition, int] = field(default_factory=dict)
    at: dict[Partition, int] = field(default_factory=dict)
    held: set[Partition] = field(default_factory=set)
    sent: list[Sent] = field(default_factory=list)
    ends: list[str | MeshError | None] = field(default_factory=list)  #: how commits end; then all are done
    said: list[str] = field(default_factory=list)  #: what was asked of it, in order
    member: bytes | None = b"member"
    _open: list[Sent] = field(default_factory=list)
    _asked: dict[Partition, int] | None = None

    def add(self, topic: str, values: Iterable[bytes | None], partition: int = 0) -> None:
        found = self.records.setdefault((topic, partition), [])
        for value in values:
            found.append(Record((topic, partition), len(found), value))

    # Inputs

    @property
    def assigned(self) -> frozenset[Partition]:
        return frozenset(self.records)

    def take(self, most: int, wait_seconds: float, fill_seconds: float) -> Sequence[Message]:
        self.said.append("take")
        found: list[Message] = []
        for place, records in self.records.items():
            if place not in self.held:
                start = self.at.get(place, 0)
                found += records[start : start + most]
                self.at[place] = min(start + most, len(records))
        return found

    def rewind(self) -> None:
        self.said.append("rewind")
        self.held.clear()
        self.at = dict(self.committed)

    def hold(self, positions: Mapping[Partition, int]) -> None:
        self.held |= set(positions)
        self.at |= positions

    def release(self, partitions: Collection[Partition]) -> None:
        self.held -= set(partitions)

    def lag(self) -> Mapping[Partition, int]:
        return {place: len(records) - self.at.get(place, 0) for place, records in self.records.items()}

    # Transactional

    def begin(self) -> None:
        self.said.append("begin")
        assert self._asked is None, "the transaction before is not over"
        self._open = []

    def send(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        headers: Iterable[Sequence[tuple[str, bytes | None]]],
        times_ms: Sequence[int],
    ) -> None:
        for _, value, own, _ in zip(keys, values, headers, times_ms, strict=True):
            self._open.append(Sent(topic, value, dict(own)))

    def flush(self) -> None:
        raise AssertionError("inside a transaction nothing is waited for but its end")

    def commit(self, positions: Mapping[Partition, int], member: bytes) -> None:
        self.said.append("commit")
        assert member == self.member
        self._asked = dict(positions)

    def outcome(self) -> str | None:
        if self._asked is None:
            return None
        self.said.append("outcome")
        asked, self._asked = self._asked, None
        end = self.ends.pop(0) if self.ends else None
        if isinstance(end, MeshError):
            raise end
        if end is None:
            self.committed |= asked
            self.sent += self._open
        return end

    def abort(self) -> None:
        self.said.append("abort")
        self._open = []

    def close(self) -> None:
        self.said.append("close")


@dataclass
class RegistryTwin:
    """Knows one schema, once it is to be had."""

    schemas: dict[int, AvroSchema]

    def schema(self, schema_id: int) -> AvroSchema:
        return self.schemas[schema_id]


@dataclass
class Stage:
    """A pipeline over twins; `reads` are its inputs' ports by product."""

    reads: dict[str, OutputPort]
    makes: OutputPort
    broker: BrokerTwin = field(default_factory=BrokerTwin)
    figures: Figures = field(default_factory=Figures)

    def values(self, product: str, numbers: Iterable[int]) -> list[bytes]:
        codec = self.reads[product].codec
        rows = [{"sensor": "s-1", "at": BEGAN + timedelta(seconds=n), "celsius": float(n)} for n in numbers]
        return codec.encode(to_batch(rows, codec), frame_prefix(KNOWN))

    def add(self, product: str, numbers: Iterable[int], partition: int = 0) -> None:
        self.broker.add(self.reads[product].topic, self.values(product, numbers), partition)

    def run(
        self,
        made: Pipeline,
        pace: Pace | None = None,
        tables: Mapping[str, Callable[[], pa.Table]] | None = None,
        registry: Any = None,
    ) -> PipelineRun:
        inputs = [
            Input(
                product,
                one,
                Decoder(one, registry or RegistryTwin({KNOWN: one.schema}), Patience(sleep=lambda _: None)),
            )
            for product, one in self.reads.items()
        ]
        return PipelineRun(
            made,
            Intake(inputs, self.broker),
            tables or {},
            self.broker,
            lambda marked: Publisher(self.makes, KNOWN, marked, EventIds(b"12345678"), lambda: BEGAN),
            pace or Pace(records=10),
            self.figures,
        )

    def made(self) -> list[float]:
        """What is there of what was derived, by its measure."""
        codec = self.makes.codec
        values = [
            sent.value[5:] for sent in self.broker.sent if sent.topic == self.makes.topic and sent.value
        ]
        return [row["celsius"] for row in codec.decode_with_poison(values).batch.to_pylist()]
