"""Connected subscriptions: plain, from asyncio, with a handler; and the dead letters they leave."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mesh import naming
from mesh.connection.base import Connection

if TYPE_CHECKING:
    from mesh.async_subscription import AsyncSubscription
    from mesh.handling import Handling, Retries
    from mesh.letters import LetterBox
    from mesh.port import OutputPort
    from mesh.positions import OutOfRange, Place, Span
    from mesh.reading import Reading
    from mesh.subscription import Subscription


class Subscribing(Connection):
    """What takes events in, as a member of a group."""

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
        from mesh.adapters.kafka_sender import ANY_SIZE, KafkaSender
        from mesh.decoding import Decoder
        from mesh.reading import Reading
        from mesh.subscription import Subscription

        bootstrap, decoder = self.settings.bootstrap, Decoder(port, self.registry)

        def replayed(span: Span) -> Reading:
            return Reading(port, decoder, lambda: BoundedReceiver(bootstrap, port.topic, span=span))

        receiver = GroupReceiver(bootstrap, port.topic, group, start, gone)
        letters = KafkaSender(bootstrap, ANY_SIZE)
        return Subscription(port, decoder, receiver, letters, group, replayed=replayed)

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
        from mesh.adapters.kafka_sender import ANY_SIZE, KafkaSender
        from mesh.adapters.kafka_tail import KafkaTail
        from mesh.handling import Handling, Retries
        from mesh.handling.journal import Journal, make_topic

        port, bootstrap = self.port(product), self.settings.bootstrap
        topic = make_topic(KafkaAdmin(bootstrap), group, port.topic)
        sender = KafkaSender(bootstrap, ANY_SIZE)
        journal = Journal(topic, port.topic, KafkaTail(bootstrap, topic), sender, os.urandom(8))
        subscription = self.subscribe(product, group=group, start=start, fields=fields, purpose=purpose)
        letters = KafkaSender(bootstrap, ANY_SIZE)
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
