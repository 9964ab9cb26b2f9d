"""The composition root: settings in, a connected mesh out. Clients are built here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mesh import naming
from mesh.adapters.http import IDEMPOTENT, Http
from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.adapters.platform_http import HttpPlatform
from mesh.adapters.registry_http import HttpRegistry
from mesh.config import Settings, load
from mesh.world import World

if TYPE_CHECKING:
    from mesh.adapters.registry_copies import RegistryReader
    from mesh.adapters.registry_migration import RegistryWriter
    from mesh.async_publishing import AsyncPublisher
    from mesh.async_subscription import AsyncSubscription
    from mesh.lookup import LookupTable
    from mesh.parcels import OnViolation
    from mesh.port import OutputPort
    from mesh.positions import OutOfRange, Place, Span
    from mesh.publishing import Publisher
    from mesh.reading import Reading
    from mesh.subscription import Subscription


class Mesh:
    """One mesh, connected. Publishers and subscriptions are closed by whoever opened them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._platform_http = Http(settings.platform_url, settings.token, name="platform")
        self._registry_http = Http(
            settings.registry_url,
            settings.registry_token,
            name="schema registry",
            # Registering a schema again, or asking about one, changes nothing more.
            repeatable=IDEMPOTENT | {"POST"},
        )
        self.platform = HttpPlatform(self._platform_http)
        self.registry = HttpRegistry(self._registry_http)
        self._ports: dict[str, OutputPort] = {}

    def world(self) -> World:
        """What plans are made of."""
        return World(KafkaAdmin(self.settings.bootstrap), self.registry, self.platform)

    def port(self, product: str) -> OutputPort:
        """A product's output port by `<domain>.<product>` or by contract id, with the contract in force."""
        from mesh.contract.reading import read_contract
        from mesh.contract.refinement import with_schema
        from mesh.port import OutputPort

        known = self._ports.get(product)
        if known is None:
            by_id = product.count(".") >= 2
            facts = self.platform.contract(product) if by_id else self.platform.port(product)
            contract = read_contract(facts.text.encode(), f"{facts.id}@{facts.version}")
            contract = with_schema(contract, facts.avro)
            known = self._ports[product] = OutputPort(contract, self.settings.codec)
        return known

    def publisher(self, product: str, *, on_violation: OnViolation = "reject") -> Publisher:
        """Publish events of a product; the schema must be registered (mesh apply).

        `on_violation` is what becomes of an event that breaks a rule: "reject", "dead-letter" or "mark".
        """
        from mesh.adapters.kafka_sender import KafkaSender
        from mesh.event import EventIds
        from mesh.publishing import Publisher

        port = self.port(product)
        ask = self.registry.schema_guid if self.settings.framing == "header" else self.registry.schema_id
        schema_id = ask(port.subject, port.schema)
        sender = KafkaSender(self.settings.bootstrap)
        ids = EventIds(os.urandom(8))
        return Publisher(port, schema_id, sender, ids, lambda: datetime.now(UTC), on_violation)

    def apublisher(self, product: str, *, on_violation: OnViolation = "reject") -> AsyncPublisher:
        """As `publisher`, for asyncio. Use it with `async with`."""
        from mesh.async_publishing import AsyncPublisher

        return AsyncPublisher(lambda: self.publisher(product, on_violation=on_violation))

    def subscribe(
        self,
        product: str,
        *,
        group: str,
        start: Place | str = "earliest",
        out_of_range: OutOfRange = "earliest",
        fields: Sequence[str] = (),
        purpose: str = "",
    ) -> Subscription:
        """Subscribe as a group; `fields` and `purpose` tell governance who would notice a change.

        `start` is where a new group begins: earliest, latest, a time, or offsets by partition. Where the
        events at a group's position are gone, it goes on by `out_of_range` and tells the gap. With `fields`
        only those are decoded, checked and given out. Raises UsageError (MESH-U190, MESH-U191).
        """
        from mesh.positions import place_of
        from mesh.projection import with_fields

        port, begin = with_fields(self.port(product), fields), place_of(start)
        name = naming.parse_topic(port.topic).product_name
        self.platform.subscribe(
            name, group, [name for name in port.codec.arrow_schema.names if name in fields], purpose
        )
        return self._received(port, group, begin, out_of_range)

    def asubscribe(self, product: str, *, group: str, **options: Any) -> AsyncSubscription:
        """The same for asyncio; options as in `subscribe`. Use it with `async with`."""
        from mesh.async_subscription import AsyncSubscription

        return AsyncSubscription(partial(self.subscribe, product, group=group, **options))

    def receive(
        self,
        product: str,
        *,
        group: str,
        start: Place | str = "earliest",
        out_of_range: OutOfRange = "earliest",
    ) -> Subscription:
        """Read as a group without registering a subscription: for the mesh's own workers."""
        from mesh.positions import place_of

        return self._received(self.port(product), group, place_of(start), out_of_range)

    def _received(self, port: OutputPort, group: str, start: Place, gone: OutOfRange) -> Subscription:
        from mesh.adapters.kafka_reading import BoundedReceiver
        from mesh.adapters.kafka_receiver import GroupReceiver
        from mesh.adapters.kafka_sender import KafkaSender
        from mesh.decoding import Decoder
        from mesh.reading import Reading
        from mesh.subscription import Subscription

        bootstrap, decoder = self.settings.bootstrap, Decoder(port, self.registry)

        def replayed(span: Span) -> Reading:
            return Reading(port, decoder, BoundedReceiver(bootstrap, port.topic, span=span))

        receiver = GroupReceiver(bootstrap, port.topic, group, start, gone)
        return Subscription(port, decoder, receiver, KafkaSender(bootstrap), group, replayed=replayed)

    def lookup(self, product: str) -> LookupTable:
        """A product as a table: the latest event per key, kept current."""
        from mesh.adapters.kafka_receiver import BoundedReceiver
        from mesh.decoding import Decoder
        from mesh.lookup import LookupTable

        port = self.port(product)
        return LookupTable(
            port, Decoder(port, self.registry), BoundedReceiver(self.settings.bootstrap, port.topic)
        )

    def read(self, product: str, *, last: int | None = None) -> Reading:
        """Everything that is there now, or the `last` events of each partition."""
        from mesh.adapters.kafka_receiver import BoundedReceiver
        from mesh.decoding import Decoder
        from mesh.reading import Reading

        port = self.port(product)
        receiver = BoundedReceiver(self.settings.bootstrap, port.topic, last)
        return Reading(port, Decoder(port, self.registry), receiver)

    def registry_reader(self) -> RegistryReader:
        """All that the registry holds, for copies and for people."""
        from mesh.adapters.registry_copies import RegistryReader

        return RegistryReader(self._registry_http)

    def registry_writer(self) -> RegistryWriter:
        """Takes in what another registry holds."""
        from mesh.adapters.registry_migration import RegistryWriter

        return RegistryWriter(self._registry_http)

    def close(self) -> None:
        """Let go of the HTTP connections."""
        self._platform_http.close()
        self._registry_http.close()

    def __enter__(self) -> Mesh:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(settings: Settings | None = None) -> Mesh:
    """The mesh that the environment or `mesh up` names; raises UsageError when there is none."""
    return Mesh(settings or load())


@contextmanager
def registry_at(url: str, token: str) -> Iterator[RegistryReader]:
    """A registry elsewhere, to be read; raises UsageError for what is no address."""
    from mesh.adapters.registry_copies import RegistryReader

    http = Http(url, token, name="schema registry")
    try:
        yield RegistryReader(http)
    finally:
        http.close()
