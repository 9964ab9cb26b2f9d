"""The code behind a product, as values: a source brings events in, a pipeline derives them from others.

    @source("operations.departures")
    def departures() -> Iterator[pa.Table]: ...

    @pipeline("punctuality.delay-causes", reads="operations.departures", tables=("fleet.aircraft",))
    def delay_causes(departures: pa.RecordBatch, aircraft: pa.Table) -> pa.Table: ...

A product file names such a value as its `implementation`; `mesh run` runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mesh.publishing import Publisher
from mesh.subscription import Subscription

Events = Iterable[pa.Table]


@dataclass(frozen=True, slots=True)
class Source:
    """Brings a product's events in from outside, in the contract's columns."""

    product: str
    events: Callable[[], Events]

    def __call__(self) -> Events:
        """The events, as from the plain function."""
        return self.events()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Derives events from batches of one product, looking things up in the tables of others.

    `derive` gets the batch and each table as it stands (latest event per key), and answers with the
    rows to publish. It keeps no state of its own: what it answers depends on its arguments alone.
    """

    product: str
    reads: str
    tables: tuple[str, ...]
    derive: Callable[..., pa.Table]

    def __call__(self, batch: pa.RecordBatch, *tables: pa.Table) -> pa.Table:
        """What is derived from a batch, as from the plain function."""
        return self.derive(batch, *tables)


def source(product: str) -> Callable[[Callable[[], Events]], Source]:
    """Declare a function as the source of a product."""
    return lambda events: Source(product, events)


def pipeline(
    product: str, *, reads: str, tables: tuple[str, ...] = ()
) -> Callable[[Callable[..., pa.Table]], Pipeline]:
    """Declare a function as the pipeline of a product."""
    return lambda derive: Pipeline(product, reads, tables, derive)


def run_source(made: Source, publish: Publisher) -> Iterator[int]:
    """Publish everything a source brings; yields how many events each step handed over."""
    for table in made.events():
        yield publish.many(table).events
    publish.flush()


def run_pipeline(
    made: Pipeline,
    subscription: Subscription,
    tables: Mapping[str, Callable[[], pa.Table]],
    publish: Publisher,
    going_on: Callable[[], bool],
) -> Iterator[int]:
    """Derive for as long as `going_on`; yields events published per batch.

    What was derived is acknowledged before its input is committed, so a crash repeats events and
    never loses one.
    """
    while going_on():
        batch = subscription.poll()
        if batch is None:
            yield 0
            continue
        looked_up: list[Any] = [tables[name]() for name in made.tables]
        derived = made.derive(batch.events, *looked_up)
        published = publish.many(derived)
        publish.flush()
        yield published.events
