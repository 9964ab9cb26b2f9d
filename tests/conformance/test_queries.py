"""SQL, reading by time, following: the same sentences on the embedded broker and on Apache Kafka."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mesh.connection import Mesh
from mesh.errors import MeshError, QueryError

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def publish(mesh: Mesh, product: str, count: int, *, first: int = 0) -> None:
    numbers = range(first, first + count)
    rows = [{"sensor": f"s-{n % 5}", "at": BEGAN + timedelta(seconds=n), "celsius": n / 2} for n in numbers]
    with mesh.publisher(product) as publisher:
        publisher.many(rows)


def table(product: str) -> str:
    return product.replace("-", "_")


def test_a_query_is_answered_from_what_is_retained(mesh: Mesh, product: str) -> None:
    publish(mesh, product, 100)
    query = f"select sensor, count(*) n, max(celsius) top from {table(product)} group by 1 order by 1"
    answer = mesh.sql(query)
    assert [(row["sensor"], row["n"]) for row in answer.rows()] == [(f"s-{n}", 20) for n in range(5)]
    assert answer.rows()[-1]["top"] == 49.5


def test_what_was_published_since_is_found_by_time(mesh: Mesh, product: str) -> None:
    publish(mesh, product, 10)
    (latest,) = mesh.sql(f"select max(_published) newest from {table(product)}").rows()
    after = latest["newest"] + timedelta(milliseconds=1)
    while datetime.now(UTC) < after:
        pass
    publish(mesh, product, 3, first=10)
    query = f"select count(*) n from {table(product)}"
    assert mesh.sql(query, since=after).rows() == [{"n": 3}]
    assert mesh.sql(query, until=after).rows() == [{"n": 10}]
    assert mesh.sql(query, since="1h").rows() == [{"n": 13}]
    assert len(mesh.read(product, since=after).to_arrow()) == 3
    assert len(mesh.read(product, until=after).to_arrow()) == 10


def test_an_empty_product_is_an_empty_table(mesh: Mesh, product: str) -> None:
    assert mesh.sql(f"select * from {table(product)}").columns == ("sensor", "at", "celsius")
    assert mesh.sql(f"select count(*) n from {table(product)}").rows() == [{"n": 0}]


def test_a_query_that_names_no_product_names_one_that_is_near(mesh: Mesh, product: str) -> None:
    with pytest.raises(QueryError, match="did you mean") as refused:
        mesh.sql(f"select * from {table(product)}x")
    assert refused.value.fix == f"write {table(product)}"


def test_only_the_fields_that_are_asked_for_are_read(mesh: Mesh, product: str) -> None:
    publish(mesh, product, 3)
    found: list[dict[str, Any]] = list(mesh.read(product, fields=["celsius"]).rows())
    assert sorted(row["celsius"] for row in found) == [0.0, 0.5, 1.0]
    assert {name for row in found for name in row} == {"celsius"}


def test_a_reading_may_be_looked_at_twice(mesh: Mesh, product: str) -> None:
    publish(mesh, product, 5)
    reading = mesh.read(product)
    assert len(reading.to_arrow()) == len(reading.to_polars()) == len(reading.to_pandas()) == 5
    assert reading._repr_html_().count("<tr>") == 6


def test_a_field_that_is_not_there_is_refused_before_anything_is_read(mesh: Mesh, product: str) -> None:
    with pytest.raises(MeshError, match="did you mean 'celsius'") as refused:
        mesh.read(product, fields=["celcius"])
    assert refused.value.error_code == "MESH-U191"


def test_following_begins_with_the_last_events_and_goes_on(mesh: Mesh, product: str) -> None:
    publish(mesh, product, 20)
    publish(mesh, product, 1, first=100)
    with mesh.follow(product, last=2) as following:
        events = following.events()
        lately = next(events)
        assert len(lately.events) == 2
        assert lately.events[-1].row["celsius"] == 50.0
        publish(mesh, product, 1, first=110)
        assert next(events).events[0].row["celsius"] == 55.0
