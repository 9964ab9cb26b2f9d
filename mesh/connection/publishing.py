"""Connected publishers: straight to Kafka, from asyncio, or by way of a database."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mesh.connection.base import Connection

if TYPE_CHECKING:
    from mesh.async_publishing import AsyncPublisher
    from mesh.outbox import Outbox, Relay
    from mesh.parcels import OnViolation
    from mesh.publishing import Publisher


class Publishing(Connection):
    """What brings events out."""

    def publisher(self, product: str, *, on_violation: OnViolation = "reject") -> Publisher:
        """Publish events of a product; the schema must be registered (mesh apply).

        `on_violation` is what becomes of an event that breaks a rule: "reject", "dead-letter" or "mark".
        """
        from mesh.adapters.kafka_sender import KafkaSender
        from mesh.event import EventIds
        from mesh.publishing import Publisher

        port = self.port(product)
        schema_id = self.schema_key(port)
        sender = KafkaSender(self.settings.bootstrap)
        ids = EventIds(os.urandom(8))
        return Publisher(port, schema_id, sender, ids, lambda: datetime.now(UTC), on_violation)

    def apublisher(self, product: str, *, on_violation: OnViolation = "reject") -> AsyncPublisher:
        """As `publisher`, for asyncio. Use it with `async with`."""
        from mesh.async_publishing import AsyncPublisher

        return AsyncPublisher(lambda: self.publisher(product, on_violation=on_violation))

    def outbox(self, product: str, *, on_violation: OnViolation = "reject") -> Outbox:
        """Write events of a product in transactions of a database of yours; a relay publishes them."""
        from mesh.event import EventIds
        from mesh.outbox import Outbox
        from mesh.parcels import Packer

        port = self.port(product)
        schema_id = self.schema_key(port)
        packer = Packer(port, schema_id, EventIds(os.urandom(8)), lambda: datetime.now(UTC))
        return Outbox(packer, on_violation)

    def relay(self, database: str) -> Relay:
        """The relay of a database's outbox: an SQLite file, or `postgresql://…`."""
        from mesh.adapters.kafka_sender import GAPLESS, KafkaSender
        from mesh.outbox import Relay, store_of

        return Relay(store_of(database), KafkaSender(self.settings.bootstrap, GAPLESS))
