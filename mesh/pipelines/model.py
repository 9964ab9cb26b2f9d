"""Sources and pipelines as values: pure functions with the names of what they read and make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import pyarrow as pa

from mesh.publishing import Publisher

Events = Iterable[pa.Table]
#: what becomes of an input event that the function, or the contract of what it makes, cannot take
OnError = Literal["stop", "dead-letter"]
Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Brings a product's events in from outside, in the contract's columns."""

    product: str
    events: Callable[[], Events]

    def __call__(self) -> Events:
        """The events, as from the plain function."""
        return self.events()


@dataclass(frozen=True, slots=True)
class Derived:
    """Derived events that each come of one input event: event i of row `rows[i]` of the batch."""

    events: Any
    rows: Sequence[int] | pa.Array | pa.ChunkedArray


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Derives events from batches of products, looking things up in the tables of others.

    A function gets the batch and each table as it stands (latest event per key), and answers with the
    events to publish, or with `Derived`. It keeps no state of its own: what it answers depends on its
    arguments alone, so that it may be asked again.
    """

    product: str
    inputs: Mapping[str, Function]
    tables: tuple[str, ...] = ()
    on_error: OnError = "stop"

    @property
    def reads(self) -> tuple[str, ...]:
        """The products it reads."""
        return tuple(self.inputs)

    def __call__(self, batch: pa.RecordBatch, *tables: pa.Table, read: str = "") -> Any:
        """What is derived from a batch of the only input, or of the one named, as from the plain function."""
        return self.inputs[read or self.reads[0]](batch, *tables)


def source(product: str) -> Callable[[Callable[[], Events]], Source]:
    """Declare a function as the source of a product."""
    return lambda events: Source(product, events)


def pipeline(
    product: str,
    *,
    reads: str | tuple[str, ...],
    tables: tuple[str, ...] = (),
    on_error: OnError = "stop",
) -> Callable[[Function], Pipeline]:
    """Declare a function as the pipeline of a product.

    With several inputs it is told by the keyword `read` which of them a batch comes from. Where each has a
    function of its own, make the value: `Pipeline("x.y", {"a.b": of_b, "c.d": of_d})`.
    """
    if isinstance(reads, str):
        return lambda derive: Pipeline(product, {reads: derive}, tables, on_error)
    return lambda derive: Pipeline(
        product, {name: partial(derive, read=name) for name in reads}, tables, on_error
    )


def run_source(made: Source, publish: Publisher) -> Iterator[int]:
    """Publish everything a source brings; yields how many events each step handed over."""
    for table in made.events():
        yield publish.many(table).events
    publish.flush()
