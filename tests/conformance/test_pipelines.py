"""Pipelines, exactly once: the same sentences on the embedded broker and on Apache Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from mesh.connection import Mesh
from mesh.pipelines import Pace, Pipeline, PipelineRun
from mesh_platform.brokers import RunningBroker
from tests.conformance.declared import applied, declaration, fresh_name, platform_on

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
SOON = Pace(within_seconds=0.01, wait_seconds=0.2)


@pytest.fixture(scope="module")
def mesh(broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with platform_on(broker.bootstrap, tmp_path_factory.mktemp("platform")) as connected:
        yield connected


@pytest.fixture
def products(mesh: Mesh) -> tuple[str, str]:
    """Two declared products with empty topics: one to read, one to make."""
    return declared(mesh), declared(mesh)


def declared(mesh: Mesh) -> str:
    name = fresh_name()
    applied(mesh, declaration(name))
    return f"tests.{name}"


def reading(number: int, **other: Any) -> dict[str, Any]:
    at = BEGAN + timedelta(seconds=number)
    return {"sensor": f"s-{number % 5}", "at": at, "celsius": float(number % 40), **other}


def publish(mesh: Mesh, product: str, numbers: range) -> None:
    with mesh.publisher(product) as publisher:
        publisher.many([reading(number) for number in numbers])


def numbers(mesh: Mesh, product: str) -> list[int]:
    """Which readings are there, as often as they are there."""
    return sorted(round((row["at"] - BEGAN).total_seconds()) for row in mesh.read(product).rows())


def warmed(batch: pa.RecordBatch) -> pa.Table:
    warmer = pc.add(batch["celsius"], 1.0)
    return pa.table({"sensor": batch["sensor"], "at": batch["at"], "celsius": warmer})


def until(run: PipelineRun, count: int) -> None:
    """Run until so many records are committed."""
    turns = iter(range(200))
    run.run(lambda: run.figures.consumed < count and next(turns) < 199)
    assert run.figures.consumed >= count


def headers(mesh: Mesh, product: str) -> list[dict[str, str]]:
    return [
        {name: value.decode() for name, value in message.headers() or () if value is not None}
        for batch in mesh.read(product).batches()
        for message in batch.messages
    ]


def test_what_is_derived_is_there_once_and_it_goes_on_where_it_was(
    mesh: Mesh, products: tuple[str, str]
) -> None:
    reads, makes = products
    warmer = Pipeline(makes, {reads: warmed})
    for begin, end in ((0, 10), (10, 25)):
        publish(mesh, reads, range(begin, end))
        with mesh.derive(warmer, pace=SOON) as run:
            until(run, end - begin)
    assert numbers(mesh, makes) == list(range(25))
