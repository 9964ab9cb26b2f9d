"""The composition root: settings in, a connected mesh out. Clients are built here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING

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
    from mesh.handling import Handling, Retries
    from mesh.letters import LetterBox
    from mesh.lookup import LookupTable
    from mesh.pipelines import Figures, Pace, Pipeline, PipelineRun
    from mesh.port import OutputPort
    from mesh.positions import OutOfRange, Place
    from mesh.publishing import Publisher
    from mesh.subscription import Reading, Subscription


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

    def publisher(self, product: str) -> Publisher:
        """Publish events of a product; the schema must be registered (mesh apply)."""
        from mesh.adapters.kafka_sender import KafkaSender
        from mesh.event import EventIds
        from mesh.publishing import Publisher

        port = self.port(product)
        schema_id = self.registry.schema_id(port.subject, port.schema)
        sender = KafkaSender(self.settings.bootstrap)
        return Publisher(port, schema_id, sender, EventIds(os.urandom(8)), lambda: datetime.now(UTC))

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
        events at a group's position are gone, it goes on by `out_of_range` and tells the gap.
        """
        port = self.port(product)
        name = naming.parse_topic(port.topic).product_name
        self.platform.subscribe(name, group, fields, purpose)
        return self.receive(product, group=group, start=start, out_of_range=out_of_range)

    def receive(
        self,
        product: str,
        *,
        group: str,
        start: Place | str = "earliest",
        out_of_range: OutOfRange = "earliest",
    ) -> Subscription:
        """Read as a group without registering a subscription: for the mesh's own workers."""
        from mesh.adapters.kafka_receiver import GroupReceiver
        from mesh.adapters.kafka_sender import KafkaSender
        from mesh.decoding import Decoder
        from mesh.positions import place_of
        from mesh.subscription import Subscription

        port, begin = self.port(product), place_of(start)
        receiver = GroupReceiver(self.settings.bootstrap, port.topic, group, begin, out_of_range)
        dead_letters = KafkaSender(self.settings.bootstrap)
        return Subscription(port, Decoder(port, self.registry), receiver, dead_letters, group)

    def handling(
        self,
        product: str,
        *,
        group: str,
        retries: Retries | None = None,
        start: Place | str = "earliest",
        fields: Sequence[str] = (),
        purpose: str = "",
    ) -> Handling:
        """Handle a product's events as a group: retries on the group's retry topic, then dead letters.

        The retry topic is made where it is not there. Raises MeshError (MESH-K010) where it may not be made.
        """
        from mesh.adapters.kafka_admin import KafkaAdmin
        from mesh.adapters.kafka_sender import KafkaSender
        from mesh.adapters.kafka_tail import KafkaTail
        from mesh.handling import Handling, Retries
        from mesh.handling.journal import Journal, make_topic

        port, bootstrap = self.port(product), self.settings.bootstrap
        topic = make_topic(KafkaAdmin(bootstrap), group, port.topic)
        journal = Journal(
            topic, port.topic, KafkaTail(bootstrap, topic), KafkaSender(bootstrap), os.urandom(8)
        )
        subscription = self.subscribe(product, group=group, start=start, fields=fields, purpose=purpose)
        letters = KafkaSender(bootstrap)
        return Handling(subscription, journal, letters, port.dead_letters, group, retries or Retries())

    def letters(self, product: str) -> LetterBox:
        """A product's dead letters: to look at, and to send back."""
        from mesh.adapters.kafka_admin import KafkaAdmin
        from mesh.adapters.kafka_landing import KafkaLanding
        from mesh.adapters.kafka_reading import everything
        from mesh.decoding import Decoder
        from mesh.letters import LetterBox

        port, bootstrap = self.port(product), self.settings.bootstrap
        return LetterBox(
            port,
            Decoder(port, self.registry),
            KafkaAdmin(bootstrap),
            lambda topic: everything(bootstrap, topic),
            lambda name: KafkaLanding(bootstrap, name),
        )

    def lookup(self, product: str) -> LookupTable:
        """A product as a table: the latest event per key, kept current."""
        from mesh.adapters.kafka_receiver import BoundedReceiver
        from mesh.decoding import Decoder
        from mesh.lookup import LookupTable

        port = self.port(product)
        return LookupTable(
            port, Decoder(port, self.registry), BoundedReceiver(self.settings.bootstrap, port.topic)
        )

    def derive(
        self,
        made: Pipeline,
        *,
        name: str | None = None,
        pace: Pace | None = None,
        figures: Figures | None = None,
    ) -> PipelineRun:
        """Run a pipeline exactly once, as one member of its product's group.

        Under a `name` of its own it comes back to its partitions at once and ends what it left open; without
        one, what a killed run left open is ended by time.
        """
        from mesh.adapters.kafka_inputs import GroupInputs
        from mesh.adapters.kafka_transactions import TransactionalSender
        from mesh.decoding import Decoder
        from mesh.event import EventIds
        from mesh.pipelines.intake import Input, Intake
        from mesh.pipelines.run import PipelineRun
        from mesh.publishing import Publisher

        where, port = self.settings.bootstrap, self.port(made.product)
        schema_id = self.registry.schema_id(port.subject, port.schema)
        ids = EventIds(os.urandom(8))
        inputs = [
            Input(read, self.port(read), Decoder(self.port(read), self.registry)) for read in made.reads
        ]
        topics = [read.port.topic for read in inputs]
        with ExitStack() as opened:
            tables = {table: self.lookup(table) for table in made.tables}
            for table in tables.values():
                opened.callback(table.close)
            # First of all: whatever this name left open is over before its positions are asked for.
            sender = TransactionalSender(where, name or f"{made.product}.{os.urandom(8).hex()}")
            opened.callback(sender.close)
            receiver = GroupInputs(where, topics, made.product, name=name, leaving=lambda: run.settle())
            run = PipelineRun(
                made,
                Intake(inputs, receiver),
                {read: table.current for read, table in tables.items()},
                sender,
                lambda marked: Publisher(port, schema_id, marked, ids, lambda: datetime.now(UTC)),
                pace,
                figures,
                opened.pop_all().close,
            )
        return run

    def read(self, product: str, *, last: int | None = None) -> Reading:
        """Everything that is there now, or the `last` events of each partition."""
        from mesh.adapters.kafka_receiver import BoundedReceiver
        from mesh.decoding import Decoder
        from mesh.subscription import Reading

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
