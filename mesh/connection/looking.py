"""Connected readings: what is retained, what comes after it, tables, and SQL over all of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mesh import limits
from mesh.connection.base import Connection

if TYPE_CHECKING:
    from mesh.following import Following
    from mesh.lookup import LookupTable
    from mesh.positions import Place
    from mesh.query.answer import Answer
    from mesh.query.engine import Shelf
    from mesh.reading import Reading


class Looking(Connection):
    """What looks at events without a group and leaves no trace."""

    def read(
        self,
        product: str,
        *,
        fields: Sequence[str] = (),
        since: Place | timedelta | str = "earliest",
        until: Place | timedelta | str | None = None,
        last: int | None = None,
    ) -> Reading:
        """What is there now: published from `since` to before `until`, the `last` events of each partition.

        With `fields` only those are decoded, checked and given out.
        A time may be a datetime, a text in ISO 8601, or how long ago: `"90m"`, `"2d"`, a timedelta.
        """
        from mesh.adapters.kafka_reading import BoundedReceiver
        from mesh.decoding import Decoder
        from mesh.positions import Span
        from mesh.projection import with_fields
        from mesh.reading import Reading, place_named

        port = with_fields(self.port(product), fields)
        span = Span(place_named(since), None if until is None else place_named(until))
        return Reading(
            port,
            Decoder(port, self.registry),
            lambda: BoundedReceiver(self.settings.bootstrap, port.topic, last, span),
        )

    def follow(
        self,
        product: str,
        *,
        fields: Sequence[str] = (),
        last: int = 10,
        since: Place | timedelta | str | None = None,
    ) -> Following:
        """Look on as a product grows: its last events, or those since a time, then each that comes."""
        from mesh.adapters.kafka_reading import BoundedReceiver
        from mesh.decoding import Decoder
        from mesh.following import Following
        from mesh.positions import EVERYTHING, Span
        from mesh.projection import with_fields
        from mesh.reading import place_named

        port = with_fields(self.port(product), fields)
        tail = last if since is None else None
        span = EVERYTHING if since is None else Span(place_named(since))
        return Following(
            port,
            Decoder(port, self.registry),
            lambda: BoundedReceiver(self.settings.bootstrap, port.topic, tail, span),
            tail,
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

    def sql(
        self,
        query: str,
        *,
        parameters: Sequence[Any] = (),
        since: datetime | timedelta | str | None = None,
        until: datetime | timedelta | str | None = None,
        rows: int = limits.QUERY_ROWS,
        seconds: float = limits.QUERY_SECONDS,
    ) -> Answer:
        """Ask one SELECT of products as tables, over what is retained; raises QueryError.

        `since` and `until` bound the time of publishing, as in `read`. A compacted product is the latest
        event of each key; `"<product>$events"` is every event of it.
        """
        from mesh.query.engine import Ceiling, ask
        from mesh.reading import time_named

        return ask(
            query,
            self._shelf(),
            parameters=parameters,
            since=None if since is None else time_named(since),
            until=None if until is None else time_named(until),
            ceiling=Ceiling(self.settings.sql_megabytes, seconds, rows),
        )

    def _shelf(self) -> Shelf:
        from mesh.adapters.kafka_queries import RetainedTopic
        from mesh.decoding import Decoder
        from mesh.query.engine import Shelf
        from mesh.query.table import Topic

        def topic(product: str) -> Topic:
            port = self.port(product)
            retained = RetainedTopic(self.settings.bootstrap, port.topic)
            return Topic(port, Decoder(port, self.registry), retained.bounds, retained.receiver)

        return Shelf(topic, lambda: [*self.platform.products(), *self.platform.contracts()])
