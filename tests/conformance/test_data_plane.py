"""Publish, subscribe, read, dead letters: the same sentences on the embedded broker and on Apache Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pydantic import BaseModel

from mesh.connection import Mesh
from mesh.errors import EventError, RegistryError
from mesh.event import Envelope, frame_prefix
from mesh.lookup import LookupTable
from mesh.naming import value_subject
from mesh.plan import make_plan
from tests.conformance.declared import NOTE, applied, declaration, fresh_name
from tests.conformance.readings import BEGAN, letters, publish, reading, send_raw, taken


def test_a_second_plan_is_empty(mesh: Mesh) -> None:
    desired = declaration(fresh_name())
    applied(mesh, desired)
    world = mesh.world()
    assert make_plan(desired, world.actual(desired)).changes == ()


def test_what_is_published_is_read_back_unchanged(mesh: Mesh, product: str) -> None:
    rows = [reading(number) for number in range(1_000)]
    publish(mesh, product, rows)
    found = sorted(mesh.read(product).rows(), key=lambda row: row["at"])
    assert found == rows


def test_a_frame_is_published_as_dicts_are(mesh: Mesh, product: str) -> None:
    rows = [reading(number) for number in range(100)]
    publish(mesh, product, pa.Table.from_pylist(rows))
    assert sorted(mesh.read(product).rows(), key=lambda row: row["at"]) == rows


def test_events_of_one_key_keep_their_order(mesh: Mesh, product: str) -> None:
    publish(mesh, product, [reading(number) for number in range(2_000)])
    seen: dict[str, datetime] = {}
    for row in mesh.read(product).rows():
        assert seen.get(row["sensor"], BEGAN) <= row["at"]
        seen[row["sensor"]] = row["at"]
    assert len(seen) == 5


def test_an_event_carries_cloudevents_headers_and_its_key(mesh: Mesh, product: str) -> None:
    publish(mesh, product, [reading(7)])
    (batch,) = mesh.read(product).batches()
    message = batch.messages[0]
    envelope = Envelope.from_headers(message.headers())
    assert message.key() == b"s-2"
    assert envelope.time == BEGAN + timedelta(seconds=7)
    assert envelope.type == mesh.port(product).topic
    assert envelope.content_type == "application/avro"
    assert envelope.id


def test_every_event_has_an_id_of_its_own(mesh: Mesh, product: str) -> None:
    publish(mesh, product, [reading(number) for number in range(500)])
    ids = {
        Envelope.from_headers(message.headers()).id
        for batch in mesh.read(product).batches()
        for message in batch.messages
    }
    assert len(ids) == 500


def test_a_bad_event_is_refused_and_nothing_of_the_call_is_sent(mesh: Mesh, product: str) -> None:
    with mesh.publisher(product) as publisher, pytest.raises(EventError, match="1 of 3 events") as refusal:
        publisher.many([reading(1), reading(2, celsius=99.0), reading(3)])
    assert refusal.value.error_code == "MESH-E020"
    assert "celsius" in refusal.value.why
    assert list(mesh.read(product).rows()) == []


def test_a_bad_event_can_be_set_aside_with_the_reason(mesh: Mesh, product: str) -> None:
    with mesh.publisher(product) as publisher:
        published = publisher.many([reading(1), reading(2, celsius=99.0)], on_violation="dead-letter")
    assert (published.events, published.dead_letters) == (1, 1)
    (letter,) = letters(mesh, product)
    assert dict(letter.headers())["mesh.dlq.code"] == b"MESH-E020"
    assert len(list(mesh.read(product).rows())) == 1


def test_an_unknown_field_is_refused(mesh: Mesh, product: str) -> None:
    with mesh.publisher(product) as publisher, pytest.raises(EventError, match="celcius"):
        publisher(reading(1, celcius=3.0))


def test_models_are_published_and_read(mesh: Mesh, product: str) -> None:
    class Reading(BaseModel):
        sensor: str
        at: datetime
        celsius: float

    one = Reading(sensor="s-9", at=BEGAN, celsius=1.5)
    with mesh.publisher(product) as publisher:
        publisher(one)
    (batch,) = mesh.read(product).batches()
    assert batch.models(Reading) == [one]


def test_a_group_goes_on_where_it_was(mesh: Mesh, product: str) -> None:
    group = f"tests.{fresh_name()}"
    publish(mesh, product, [reading(number) for number in range(10)])
    taken(mesh, product, group, 10)
    publish(mesh, product, [reading(number) for number in range(10, 15)])
    batches, _ = taken(mesh, product, group, 5)
    assert sum(map(len, batches)) == 5
    assert min(row["at"] for batch in batches for row in batch.rows()) == BEGAN + timedelta(seconds=10)


def test_what_was_not_handled_comes_again(mesh: Mesh, product: str) -> None:
    group = f"tests.{fresh_name()}"
    publish(mesh, product, [reading(number) for number in range(10)])

    def handle_badly() -> None:
        with mesh.subscribe(product, group=group) as subscription:
            assert subscription.poll(wait_seconds=10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        handle_badly()
    batches, _ = taken(mesh, product, group, 10)
    assert sum(map(len, batches)) == 10


def test_poison_goes_to_the_dead_letters_and_the_others_go_on(mesh: Mesh, product: str) -> None:
    port = mesh.port(product)
    schema_id = mesh.registry.schema_id(port.subject, port.schema)
    whole = port.codec.encode(
        pa.RecordBatch.from_pylist([reading(1)], schema=port.codec.arrow_schema), frame_prefix(schema_id)
    )[0]
    broken = [b"", b"\x00\x00", b"no frame at all", whole[:-3], whole + b"rest"]
    send_raw(mesh, product, *broken)
    publish(mesh, product, [reading(number) for number in range(20)])
    batches, buried = taken(mesh, product, f"tests.{fresh_name()}", 20, bad=len(broken))
    assert sum(map(len, batches)) == 20
    assert buried == len(broken)
    found = letters(mesh, product)
    assert sorted(letter.value() for letter in found) == sorted(broken)
    for letter in found:
        headers = dict(letter.headers())
        assert headers["mine"] == b"kept"
        assert headers["mesh.dlq.topic"] == port.topic.encode()
        assert headers["mesh.dlq.code"].startswith(b"MESH-E")


def test_an_event_of_another_writer_that_breaks_a_rule_is_set_aside(mesh: Mesh, product: str) -> None:
    port = mesh.port(product)
    schema_id = mesh.registry.schema_id(port.subject, port.schema)
    hot = pa.RecordBatch.from_pylist([reading(1, celsius=1_000.0)], schema=port.codec.arrow_schema)
    send_raw(mesh, product, *port.codec.encode(hot, frame_prefix(schema_id)))
    publish(mesh, product, [reading(2)])
    batches, buried = taken(mesh, product, f"tests.{fresh_name()}", 1, bad=1)
    assert sum(map(len, batches)) == 1
    assert buried == 1


def test_old_events_are_read_in_the_schema_that_was_approved_later(mesh: Mesh) -> None:
    name = fresh_name()
    applied(mesh, declaration(name))
    publish(mesh, f"tests.{name}", [reading(1)])
    newer = declaration(name, "1.1.0", NOTE)
    (contract,) = newer.contracts.values()
    proposal = mesh.platform.propose(contract.document.file, contract.document.text, "notes help")
    mesh.platform.decide(proposal["number"], "approve", "additive", proposal["sha256"])
    applied(mesh, newer)
    with Mesh(mesh.settings) as later:
        publish(later, f"tests.{name}", [reading(2, note="windy")])
        notes = [row["note"] for row in sorted(later.read(f"tests.{name}").rows(), key=lambda row: row["at"])]
    assert notes == [None, "windy"]


def test_the_registry_takes_no_schema_that_nobody_approved(mesh: Mesh) -> None:
    name = fresh_name()
    applied(mesh, declaration(name))
    newer = declaration(name, "1.1.0", NOTE)
    (contract,) = newer.contracts.values()
    from mesh.contract.avro import avro_schema

    with pytest.raises(RegistryError, match="mesh propose") as refusal:
        mesh.registry.register(value_subject(contract.topic), avro_schema(contract))
    assert refusal.value.status == 403


def test_a_lookup_holds_the_latest_event_of_each_key_and_follows(mesh: Mesh, product: str) -> None:
    table = mesh.lookup(product)
    assert table.current().num_rows == 0
    publish(mesh, product, [reading(number) for number in range(20)])
    wait_for(lambda: table.current().num_rows == 5)
    publish(mesh, product, [reading(25)])
    wait_for(lambda: {"sensor": "s-0", "celsius": 25.0} in latest(table))
    assert len(latest(table)) == 5
    table.close()


def latest(table: LookupTable) -> list[dict[str, Any]]:
    return table.current().select(["sensor", "celsius"]).to_pylist()


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass within 20 s"
