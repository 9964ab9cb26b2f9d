"""Subscriptions as people use them, on both brokers: fields, asyncio, replay, draining, the registry away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from pydantic import BaseModel

from mesh.connection import Mesh
from mesh.errors import UsageError
from tests.conformance.declared import NOTE, applied, declaration, fresh_name

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class Reading(BaseModel):
    sensor: str
    celsius: float


@pytest.fixture(scope="module")
def product(mesh: Mesh) -> str:
    """A product with twenty readings."""
    name = fresh_name()
    applied(mesh, declaration(name, more=NOTE))
    with mesh.publisher(f"tests.{name}") as publish:
        publish.many([reading(number) for number in range(20)])
    return f"tests.{name}"


def reading(number: int) -> dict[str, Any]:
    at = BEGAN + timedelta(seconds=number)
    return {"sensor": f"s-{number % 5}", "at": at, "celsius": float(number), "note": None}


def group() -> str:
    return f"tests.{fresh_name()}"


def test_only_the_wanted_fields_come_in_the_order_of_the_contract(mesh: Mesh, product: str) -> None:
    with mesh.subscribe(product, group=group(), fields=["celsius", "sensor"]) as subscription:
        batch = subscription.poll(wait_seconds=20)
    assert batch is not None
    assert batch.to_arrow().schema.names == ["sensor", "celsius"]


def test_governance_knows_which_fields_are_read(mesh: Mesh, product: str) -> None:
    reader = group()
    with mesh.subscribe(product, group=reader, fields=["celsius"]):
        pass
    known = mesh.platform._ask("GET", "/subscriptions")
    assert [list(one["fields"]) for one in known if one["group"] == reader] == [["celsius"]]


def test_a_field_that_is_not_there_is_refused_with_the_one_that_was_meant(mesh: Mesh, product: str) -> None:
    with pytest.raises(UsageError, match="did you mean 'celsius'") as refused:
        mesh.subscribe(product, group=group(), fields=["celcius"])
    assert refused.value.error_code == "MESH-U191"


def test_events_come_as_models(mesh: Mesh, product: str) -> None:
    with mesh.subscribe(product, group=group()) as subscription:
        found = {one.celsius: one for one in islice(subscription.models(Reading), 20)}
    assert found[7.0] == Reading(sensor="s-2", celsius=7.0)


def test_a_replay_reads_again_and_the_position_stays(mesh: Mesh, product: str) -> None:
    with mesh.subscribe(product, group=group()) as subscription:
        assert subscription.poll(wait_seconds=20) is not None
        subscription.commit()
        before = subscription.lag()
        again = sorted(row["celsius"] for row in subscription.replay("earliest").rows())
        none = list(subscription.replay(datetime(2100, 1, 1, tzinfo=UTC)).rows())
        assert subscription.lag() == before
    assert (again, none) == ([float(number) for number in range(20)], [])


def test_lag_shrinks_with_what_is_handled(mesh: Mesh, product: str) -> None:
    with mesh.subscribe(product, group=group()) as subscription:
        seen = 0
        while seen < 20:
            seen += len(subscription.poll(most=5, wait_seconds=20) or ())
            assert sum(subscription.lag().values()) >= 20 - seen
        subscription.commit()
        assert sum(subscription.lag().values()) == 0


def test_asyncio_reads_the_same(mesh: Mesh, product: str) -> None:
    async def read() -> tuple[set[float], int]:
        rows, batches = set(), 0
        async with mesh.asubscribe(product, group=group()) as subscription:
            async for row in subscription:
                rows.add(row["celsius"])
                if len(rows) == 15:
                    break
            async for batch in subscription.batches():
                batches += len(batch)
                if batches >= 5:
                    subscription.stop()
            assert sum((await subscription.lag()).values()) == 0
        return rows, batches

    rows, rest = asyncio.run(read())
    assert (len(rows), rest) == (15, 5)


def test_a_poll_that_is_cancelled_loses_nothing(mesh: Mesh, product: str) -> None:
    async def read() -> list[float]:
        found: list[float] = []
        async with mesh.asubscribe(product, group=group()) as subscription:
            while len(found) < 20:
                try:
                    batch = await asyncio.wait_for(subscription.poll(most=3, wait_seconds=20), 0.001)
                except TimeoutError:
                    continue
                found += [row["celsius"] for row in batch.rows()] if batch else []
        return sorted(found)

    assert asyncio.run(read()) == [float(number) for number in range(20)]


def test_an_asyncio_subscription_that_is_not_open_says_so(mesh: Mesh, product: str) -> None:
    with pytest.raises(UsageError, match="not open") as refused:
        asyncio.run(mesh.asubscribe(product, group=group()).commit())
    assert refused.value.error_code == "MESH-U192"
