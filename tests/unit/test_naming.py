"""Names on Kafka, spelled in one place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh import limits, naming
from mesh.errors import UsageError
from mesh.naming import TopicName

slugs = st.from_regex(naming.SLUG, fullmatch=True).filter(lambda slug: slug.isascii())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ops.flights.v1", TopicName("ops", "flights", 1)),
        ("ops.flights.v0", TopicName("ops", "flights", 0)),
        ("ops.flights.hourly.v12", TopicName("ops", "flights", 12, "hourly")),
        ("a1.b-2.v99999", TopicName("a1", "b-2", 99999)),
        ("ops.v1.v2", TopicName("ops", "v1", 2)),
    ],
)
def test_a_topic_name_is_taken_apart(text: str, parts: TopicName) -> None:
    assert naming.parse_topic(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ops",
        "ops.v1",
        "ops.flights",
        "ops.flights.1",
        "ops.flights.v",
        "ops.flights.v01",
        "ops.flights.v100000",
        "Ops.flights.v1",
        "ops.fli_ghts.v1",
        "ops..v1",
        "ops.flights.v1.dlq",
        "ops.flights.v1\n",
        " ops.flights.v1",
        "o.flights.v1",
        "1ops.flights.v1",
        "ops.flights.a.b.v1",
        f"{'a' * 64}.bb.v1",
        "ops.flüge.v1",
        "ops.flights.v١",
    ],
)
def test_what_is_no_topic_of_the_mesh_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        naming.parse_topic(text)
    assert caught.value.error_code == "MESH-U010"
    assert caught.value.why


@given(slugs, slugs, st.integers(0, 99_999), st.none() | slugs)
def test_a_name_put_together_and_taken_apart_is_the_same(
    domain: str, product: str, major: int, port: str | None
) -> None:
    name = TopicName(domain, product, major, port)
    assert naming.parse_topic(str(name)) == name
    assert name.product_name == f"{domain}.{product}"


def test_the_longest_names_of_the_mesh_fit_on_kafka() -> None:
    longest = str(TopicName("a" * 63, "b" * 63, 99_999, "c" * 63))
    assert len(naming.dead_letter_topic(longest)) <= limits.TOPIC_NAME_LENGTH
    assert len(naming.value_subject(longest)) <= limits.NAME_LENGTH


def test_names_derived_from_a_topic() -> None:
    assert naming.value_subject("ops.flights.v1") == "ops.flights.v1-value"
    assert naming.dead_letter_topic("ops.flights.v1") == "ops.flights.v1.dlq"
    assert naming.consumer_group("reports", "board") == "reports.board"


def test_no_dead_letter_topic_is_a_products_topic() -> None:
    with pytest.raises(UsageError):
        naming.parse_topic(naming.dead_letter_topic("ops.flights.v1"))


@pytest.mark.parametrize(
    ("domain", "product", "fullname"),
    [
        ("ops", "flights", "ops.Flights"),
        ("flight-ops", "delay-causes", "flight_ops.DelayCauses"),
        ("o1", "a-1b", "o1.A1b"),
    ],
)
def test_the_avro_name_of_a_product(domain: str, product: str, fullname: str) -> None:
    assert naming.avro_fullname(domain, product) == fullname


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("ab", True),
        ("a-b", True),
        ("a", False),
        ("A1", False),
        ("a_b", False),
        ("ab\n", False),
        ("a" * 63, True),
        ("a" * 64, False),
    ],
)
def test_a_slug_is_lower_case_with_hyphens(text: str, holds: bool) -> None:
    assert naming.is_slug(text) is holds
