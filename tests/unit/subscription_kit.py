"""A subscription on a topic and a registry in memory, by a clock that a test moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from mesh.codec import to_batch
from mesh.decoding import Decoder
from mesh.errors import MeshError, RegistryError, UnreachableError
from mesh.event import frame_prefix
from mesh.interfaces import Message
from mesh.port import OutputPort
from mesh.positions import Gap, Place
from mesh.schema import AvroSchema
from mesh.subscription import Subscription
from mesh.writers import UNKNOWN_SCHEMA, Asker, Patience
from tests.unit.contract_kit import contract_of
from tests.unit.contract_kit import field as prop
from tests.unit.fault_server import Time

PORT = OutputPort(contract_of([prop("code", required=True, primaryKey=True)]))
AWAY = UnreachableError("the schema registry does not answer")
UNKNOWN = RegistryError("Schema 7 not found", status=404, registry_code=UNKNOWN_SCHEMA)


@dataclass(frozen=True)
class Record:
    """An event on a partition, written with a schema id."""

    place: tuple[int, int]
    schema_id: int

    def topic(self) -> str:
        return PORT.topic

    def partition(self) -> int:
        return self.place[0]

    def offset(self) -> int:
        return self.place[1]

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        row = {"code": f"{self.place[0]}/{self.place[1]}"}
        values = PORT.codec.encode(to_batch([row], PORT.codec), frame_prefix(self.schema_id))
        return bytes(values[0])

    def headers(self) -> list[tuple[str, bytes | None]]:
        return []

    def timestamp(self) -> tuple[int, int]:
        return 1, 0


@dataclass
class Topic:
    """A member's reading of partitions in memory: positions, pauses, commits, as Kafka keeps them."""

    time: Time
    records: dict[int, list[int]]  #: by partition: the schema id of each event
    at: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    held: dict[int, int] = field(default_factory=dict)
    committed: dict[int, int] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    paused: set[int] = field(default_factory=set)
    refused: int = 0
    closed: bool = False

    def take(self, most: int, wait_seconds: float) -> Sequence[Message]:
        taken: list[Message] = []
        for partition, ids in sorted(self.records.items()):
            while (
                partition not in {*self.held, *self.paused}
                and self.at[partition] < len(ids)
                and len(taken) < most
            ):
                offset = self.at[partition]
                taken.append(Record((partition, offset), ids[offset]))
                self.at[partition] += 1
        if not taken:
            self.time.sleep(wait_seconds)
        return taken

    def hold(self, positions: Mapping[int, int]) -> None:
        self.held |= positions
        self.at |= positions

    def release(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            self.at[partition] = self.held.pop(partition)

    def settle(self) -> None:
        self.committed |= self.at

    commit = settle

    @property
    def positions(self) -> Mapping[int, int]:
        return self.committed

    def assigned(self) -> frozenset[int]:
        return frozenset(self.records)

    def seek(self, place: Place) -> None:
        assert isinstance(place, Mapping)
        self.at |= place

    def pause(self, partitions: Collection[int] | None = None) -> None:
        self.paused |= self.records.keys() if partitions is None else set(partitions)

    def resume(self, partitions: Collection[int] | None = None) -> None:
        self.paused -= self.records.keys() if partitions is None else set(partitions)

    def lag(self) -> Mapping[int, int]:
        return {p: len(ids) - self.committed.get(p, 0) for p, ids in self.records.items()}

    def at_end(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


@dataclass
class Script:
    """A registry that answers what it is told to, by schema id; it knows id 1 unless told otherwise."""

    time: Time
    trouble: dict[int, MeshError] = field(default_factory=dict)
    asked: list[tuple[int, float]] = field(default_factory=list)

    def schema(self, schema_id: int) -> AvroSchema:
        self.asked.append((schema_id, self.time.now))
        if schema_id in self.trouble:
            raise self.trouble[schema_id]
        return PORT.schema


@dataclass
class Buried:
    """What was sent to the dead letters."""

    values: list[Any] = field(default_factory=list)

    def send(self, topic: str, keys: Any, values: Any, headers: Any, times: Any) -> None:
        self.values += values

    def flush(self) -> None: ...
    def close(self) -> None: ...


class AtOnce(Asker):
    """Asks in place, so that a test sees each step."""

    def _begun(self, schema_id: int) -> Future[None]:
        future: Future[None] = Future()
        try:
            future.set_result(self._writers.ask(schema_id))
        except MeshError as error:
            future.set_exception(error)
        return future


class Case:
    """One subscription on a topic and a registry of this test."""

    def __init__(self, records: dict[int, list[int]], trouble: dict[int, MeshError] | None = None) -> None:
        self.time = Time()
        self.registry = Script(self.time, trouble or {})
        self.topic = Topic(self.time, records)
        self.buried = Buried()
        patience = Patience(clock=self.time.clock, sleep=self.time.sleep, jitter=lambda: 1.0)
        self.decoder = Decoder(PORT, self.registry, patience)  # type: ignore[arg-type]
        asker = AtOnce(self.decoder.writers)
        self.subscription = Subscription(PORT, self.decoder, self.topic, self.buried, "group", asker)
        self.read: list[str] = []

    def go_on(self, seconds: float) -> None:
        """Read for so long, waiting half a second whenever there is nothing."""
        end = self.time.now + seconds
        while self.time.now < end:
            batch = self.subscription.poll()
            self.read += [row["code"] for row in batch.rows()] if batch else []
