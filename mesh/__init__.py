"""mesh: an event-driven data-product mesh framework.

import mesh

with mesh.publisher("operations.departures") as publish:
    publish.many(frame)

for batch in mesh.subscribe("operations.departures", group="reports.board").batches():
    print(batch.to_polars())
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesh.async_publishing import AsyncPublisher
    from mesh.async_subscription import AsyncSubscription
    from mesh.connection import Mesh, connect
    from mesh.errors import MeshError
    from mesh.parcels import OnViolation
    from mesh.pipelines import pipeline, source
    from mesh.publishing import Publisher
    from mesh.query.answer import Answer
    from mesh.reading import Reading
    from mesh.subscription import Subscription

__all__ = [
    "Mesh",
    "MeshError",
    "apublisher",
    "asubscribe",
    "connect",
    "pipeline",
    "publisher",
    "read",
    "source",
    "sql",
    "subscribe",
]

_HOMES = {
    "Mesh": "mesh.connection",
    "MeshError": "mesh.errors",
    "connect": "mesh.connection",
    "pipeline": "mesh.pipelines",
    "source": "mesh.pipelines",
}


def publisher(product: str, *, on_violation: OnViolation = "reject") -> Publisher:
    """Publish events of a product on the mesh that is running here. Use it with `with`."""
    from mesh.connection import connect

    # A publisher that is made needs Kafka alone.
    with connect() as mesh:
        return mesh.publisher(product, on_violation=on_violation)


def apublisher(product: str, *, on_violation: OnViolation = "reject") -> AsyncPublisher:
    """As `publisher`, for asyncio. Use it with `async with`."""
    from mesh.async_publishing import AsyncPublisher

    return AsyncPublisher(lambda: publisher(product, on_violation=on_violation))


def subscribe(product: str, *, group: str, **options: Any) -> Subscription:
    """Subscribe to a product as a group; options as in `Mesh.subscribe`. Use it with `with`, or close it."""
    from mesh.connection import connect

    return connect().subscribe(product, group=group, **options)


def asubscribe(product: str, *, group: str, **options: Any) -> AsyncSubscription:
    """Subscribe from asyncio: `async with`, `async for`; options as in `Mesh.subscribe`."""
    from mesh.connection import connect

    return connect().asubscribe(product, group=group, **options)


def read(product: str, **options: Any) -> Reading:
    """What is on a product now: `.to_polars()`, `.to_arrow()`, `.rows()`; options as in `Mesh.read`."""
    from mesh.connection import connect

    return connect().read(product, **options)


def sql(query: str, **options: Any) -> Answer:
    """Ask one SELECT of products as tables: `.to_polars()`, `.rows()`; options as in `Mesh.sql`."""
    from mesh.connection import connect

    with connect() as mesh:
        return mesh.sql(query, **options)


def __getattr__(name: str) -> Any:
    # The front door opens in microseconds: what it names is imported when it is asked for.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'mesh' has no attribute {name!r}")
