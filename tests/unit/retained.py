"""Products whose events are retained in memory, as queries read them, and what was read of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from mesh.codec import to_batch
from mesh.contract.model import Contract
from mesh.decoding import Decoder
from mesh.errors import MeshError
from mesh.event import frame_prefix
from mesh.interfaces import Message, Registry
from mesh.port import OutputPort
from mesh.query.engine import Shelf
from mesh.query.table import Bounds, Topic
from mesh.testing.memory import Record, Schemas


@dataclass
class Retained:
    """One product's topic: events over two partitions, a second apart."""

    contract: Contract
    partitions: dict[int, list[Record]] = field(default_factory=lambda: {0: [], 1: []})
    readings: list[Bounds] = field(default_factory=list)  #: the bounds of each reading
    taken: int = 0
    open: int = 0

    def __post_init__(self) -> None:
        self.port = OutputPort(self.contract)

    def add(self, *rows: Mapping[str, Any]) -> Retained:
        """Publish events."""
        batch = to_batch(list(rows), self.port.codec)
        values = self.port.codec.encode(batch, frame_prefix(1))
        for key, value in zip(self.port.keys(batch), values, strict=True):
            self.put(key or b"", value)
        return self

    def put(self, key: bytes, value: bytes | None) -> None:
        """Publish bytes; None is a tombstone of its key."""
        number, partition = sum(map(len, self.partitions.values())), sum(key) % 2
        place = (self.port.topic, partition, len(self.partitions[partition]))
        self.partitions[partition].append(Record(value, place, key, number * 1_000))

    def topic(self) -> Topic:
        registry = cast(Registry, Schemas([self.port.schema]))
        return Topic(self.port, Decoder(self.port, registry), self._bounds, self._receiver)

    def _bounds(self, since: int | None, until: int | None) -> Bounds:
        found = {}
        for partition, records in self.partitions.items():
            times = [record.published_ms for record in records]
            first = next((i for i, at in enumerate(times) if since is not None and at >= since), len(times))
            end = next((i for i, at in enumerate(times) if until is not None and at >= until), len(times))
            found[partition] = (0 if since is None else first, end)
        return found

    def _receiver(self, bounds: Bounds) -> Reading:
        self.readings.append(bounds)
        return Reading(self, [r for p, (first, end) in bounds.items() for r in self.partitions[p][first:end]])


class Reading:
    """Hands out records, a few at a time."""

    def __init__(self, retained: Retained, records: Sequence[Record]) -> None:
        self._retained = retained
        self._left = list(records)
        retained.open += 1

    def take(self, most: int, wait_seconds: float) -> Sequence[Message]:
        most = min(most, 1_000)
        taken, self._left = self._left[:most], self._left[most:]
        self._retained.taken += len(taken)
        return taken

    def commit(self) -> None: ...

    def at_end(self) -> bool:
        return not self._left

    def close(self) -> None:
        self._retained.open -= 1


def shelf(**retained: Retained) -> Shelf:
    """Products by name, spelled as `domain__product`."""
    known = {name.replace("__", ".").replace("_", "-"): one for name, one in retained.items()}

    def topic(product: str) -> Topic:
        if product not in known:
            raise MeshError(f"there is no product {product}", code="MESH-S404")
        return known[product].topic()

    return Shelf(topic, lambda: list(known))
