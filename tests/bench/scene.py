"""Where the data plane is measured: a mesh with one product, and topics without contract for the peers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
from confluent_kafka.admin import AdminClient, NewTopic

from mesh.adapters.workspace import read_sources
from mesh.apply import apply
from mesh.config import Settings
from mesh.connection import Mesh
from mesh.declaration import declare
from mesh.event import EventIds, Stamp, frame_prefix
from mesh.plan import make_plan
from mesh.port import OutputPort
from mesh_platform.up import Wanted, bring_up
from tests.bench.orders import PARTITIONS, orders
from tests.bench.peers.running import ROOT, Peers

PRODUCT = "bench.orders"
TOPIC = "bench.orders.v1"
#: what the peers write and read: the same schema, nobody's contract
PEERS = "peers.orders"
DERIVED = "peers.derived"


@dataclass(frozen=True)
class Scene:
    """One mesh, one set of events, ready in every form that somebody sends."""

    mesh: Mesh
    peers: Peers

    @cached_property
    def port(self) -> OutputPort:
        return self.mesh.port(PRODUCT)

    @cached_property
    def schema_id(self) -> int:
        return self.mesh.registry.schema_id(self.port.subject, self.port.schema)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        return orders()

    @cached_property
    def arrow(self) -> pa.Table:
        return pa.Table.from_pylist(self.rows, schema=self.port.codec.arrow_schema)

    @cached_property
    def values(self) -> list[bytes]:
        return self.port.codec.encode(self._batch, frame_prefix(self.schema_id))

    @cached_property
    def keys(self) -> list[bytes | None]:
        return self.port.keys(self._batch)

    @cached_property
    def headers(self) -> list[list[tuple[str, bytes | None]]]:
        """The CloudEvents headers that the mesh puts on these events."""
        times = [row["placed_at"].isoformat().encode() for row in self.rows]
        stamp = Stamp("/bench/bench.orders.v1", TOPIC)
        return list(stamp.each(EventIds(b"12345678").take(len(self.rows)), times))

    @cached_property
    def _batch(self) -> pa.RecordBatch:
        return self.arrow.combine_chunks().to_batches()[0]


@contextmanager
def scene(state: Path) -> Iterator[Scene]:
    """A mesh on the embedded broker, in processes of their own, with everything created."""
    with bring_up(Wanted(state, "embedded", quality=False), lambda _text: None) as up:
        registry = f"{up.url}/registry"
        with Mesh(Settings(up.bootstrap, up.url, registry, up.token)) as mesh:
            desired = declare(read_sources([ROOT / "tests" / "bench" / "declarations"], ROOT)).require()
            world = mesh.world()
            for _ in apply(make_plan(desired, world.actual(desired)), world):
                pass
            schema = mesh.port(PRODUCT).schema
            admin = AdminClient({"bootstrap.servers": up.bootstrap})
            for topic in (PEERS, DERIVED):
                admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(10)
                mesh.registry.register(f"{topic}-value", schema)
            file = state / "orders.avsc"
            file.write_text(schema.text)
            yield Scene(mesh, Peers(up.bootstrap, registry, f"bench:{up.token}", file))
