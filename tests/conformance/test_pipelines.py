"""Pipelines, exactly once: the same sentences on the embedded broker and on Apache Kafka."""

from __future__ import annotations

import threading

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from mesh.connection import Mesh
from mesh.errors import EventError, MeshError
from mesh.pipelines import Derived, Pace, Pipeline, PipelineRun, pipeline
from tests.conformance.readings import BEGAN, letters, new_product, reading, send_raw

SOON = Pace(within_seconds=0.01, wait_seconds=0.2)


@pytest.fixture
def products(mesh: Mesh) -> tuple[str, str]:
    """Two declared products with empty topics: one to read, one to make."""
    return new_product(mesh), new_product(mesh)


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


def test_every_event_says_which_records_it_may_come_of(mesh: Mesh, products: tuple[str, str]) -> None:
    reads, makes = products
    publish(mesh, reads, range(40))
    with mesh.derive(Pipeline(makes, {reads: warmed}), pace=SOON) as run:
        until(run, 40)
    for found in headers(mesh, makes):
        assert found["mesh.input.version"] == "1.0.0"
        for place in found["mesh.input"].split(" "):
            topic, _, offsets = place.split("/")
            first, last = map(int, offsets.split("-"))
            assert (topic, 0 <= first <= last < 40) == (mesh.port(reads).topic, True)


def test_an_event_that_comes_of_one_record_says_which(mesh: Mesh, products: tuple[str, str]) -> None:
    reads, makes = products
    publish(mesh, reads, range(40))

    def warm_ones(batch: pa.RecordBatch) -> Derived:
        rows = pc.indices_nonzero(pc.greater(batch["celsius"], 19.5))
        return Derived(warmed(batch.take(rows)), rows)

    with mesh.derive(Pipeline(makes, {reads: warm_ones}), pace=SOON) as run:
        until(run, 40)
    at = {
        str(batch.position(row)): event
        for batch in mesh.read(reads).batches()
        for row, event in enumerate(batch.rows())
    }
    # Rows and headers of one reading: partitions come in any order.
    made = [
        (event, dict(message.headers() or ())["mesh.input"])
        for batch in mesh.read(makes).batches()
        for event, message in zip(batch.rows(), batch.messages, strict=True)
    ]
    assert len(made) == 20
    for event, place in made:
        assert place is not None
        assert at[place.decode()] == {**event, "celsius": event["celsius"] - 1.0}


def test_a_pipeline_of_several_inputs_is_told_which_a_batch_comes_from(
    mesh: Mesh, products: tuple[str, str]
) -> None:
    (one, makes), other = products, new_product(mesh)
    publish(mesh, one, range(10))
    publish(mesh, other, range(100, 110))
    seen: dict[str, list[int]] = {one: [], other: []}

    def both(batch: pa.RecordBatch, *, read: str) -> pa.Table:
        seen[read] += [round((at - BEGAN).total_seconds()) for at in batch["at"].to_pylist()]
        return warmed(batch)

    with mesh.derive(pipeline(makes, reads=(one, other))(both), pace=SOON) as run:
        until(run, 20)
    assert {name: sorted(found) for name, found in seen.items()} == {
        one: list(range(10)),
        other: list(range(100, 110)),
    }
    assert numbers(mesh, makes) == [*range(10), *range(100, 110)]


def test_poison_goes_to_the_dead_letters_with_what_is_derived_beside_it(
    mesh: Mesh, products: tuple[str, str]
) -> None:
    reads, makes = products
    send_raw(mesh, reads, b"no frame at all")
    publish(mesh, reads, range(10))
    with mesh.derive(Pipeline(makes, {reads: warmed}), pace=SOON) as run:
        until(run, 11)
        assert (run.figures.published, run.figures.dead_letters) == (10, 1)
    (letter,) = letters(mesh, reads)
    assert letter.value() == b"no frame at all"
    assert dict(letter.headers())["mesh.dlq.group"] == makes.encode()


def test_a_function_that_fails_publishes_nothing_and_goes_on_once_it_is_mended(
    mesh: Mesh, products: tuple[str, str]
) -> None:
    reads, makes = products
    publish(mesh, reads, range(10))
    with (
        pytest.raises(MeshError, match="ZeroDivisionError") as failure,
        mesh.derive(Pipeline(makes, {reads: lambda batch: 1 // 0}), pace=SOON) as run,
    ):
        until(run, 10)
    assert failure.value.error_code == "MESH-K054"
    with mesh.derive(Pipeline(makes, {reads: warmed}), pace=SOON) as run:
        until(run, 10)
    assert numbers(mesh, makes) == list(range(10))


def test_what_breaks_the_contract_of_what_is_made_stops_the_pipeline(
    mesh: Mesh, products: tuple[str, str]
) -> None:
    reads, makes = products
    publish(mesh, reads, range(10))
    with (
        pytest.raises(EventError, match="do not fit contract"),
        mesh.derive(Pipeline(makes, {reads: too_hot}), pace=SOON) as run,
    ):
        until(run, 10)
    assert numbers(mesh, makes) == []


def too_hot(batch: pa.RecordBatch) -> pa.Table:
    table = warmed(batch)
    return table.set_column(2, "celsius", pc.add(table["celsius"], 1_000.0))


def test_events_that_cannot_be_derived_may_be_set_aside_and_the_others_go_on(
    mesh: Mesh, products: tuple[str, str]
) -> None:
    reads, makes = products
    publish(mesh, reads, range(40))

    def picky(batch: pa.RecordBatch) -> pa.Table:
        found = batch["celsius"].to_pylist()
        if 7.0 in found:
            raise ValueError("seven is unlucky")
        table = warmed(batch)
        hot = pc.if_else(pc.equal(batch["celsius"], 9.0), 1_000.0, table["celsius"])
        return table.set_column(2, "celsius", hot)

    made = pipeline(makes, reads=reads, on_error="dead-letter")(picky)
    with mesh.derive(made, pace=SOON) as run:
        until(run, 40)
    assert numbers(mesh, makes) == [number for number in range(40) if number not in (7, 9)]
    codes = sorted(dict(letter.headers())["mesh.dlq.code"] for letter in letters(mesh, reads))
    assert codes == [b"MESH-E020", b"MESH-E090"]


def test_who_takes_over_a_name_shuts_the_other_out(mesh: Mesh, products: tuple[str, str]) -> None:
    """The zombie wakes with a batch in hand: it may not commit, and what it sent never was."""
    reads, makes = products
    publish(mesh, reads, range(10))
    taken_over: list[int] = []

    def asleep(batch: pa.RecordBatch) -> pa.Table:
        if not taken_over:
            with mesh.derive(Pipeline(makes, {reads: warmed}), name=f"{makes}.0", pace=SOON) as heir:
                until(heir, 10)
                taken_over.append(heir.figures.published)
        return warmed(batch)

    with (
        pytest.raises(MeshError) as failure,
        mesh.derive(Pipeline(makes, {reads: asleep}), name=f"{makes}.0", pace=SOON) as zombie,
    ):
        until(zombie, 10)
    assert (failure.value.error_code, taken_over) == ("MESH-K051", [10])
    assert numbers(mesh, makes) == list(range(10))


def test_members_that_come_and_go_share_the_work_and_repeat_nothing(
    mesh: Mesh, products: tuple[str, str]
) -> None:
    reads, makes = products
    made = Pipeline(makes, {reads: warmed})
    with mesh.derive(made, pace=SOON) as one:
        for turn in range(2):
            publish(mesh, reads, range(turn * 50, turn * 50 + 50))
            with mesh.derive(made, pace=SOON) as other:
                turns = iter(range(100))
                while one.figures.partitions != 1 or other.figures.partitions != 1:
                    assert next(turns) < 99
                    one.step()
                    other.step()
        publish(mesh, reads, range(100, 150))
        turns = iter(range(100))
        while numbers(mesh, makes) != list(range(150)):
            assert next(turns) < 99
            one.step()


def test_a_lookup_table_forgets_a_key_that_was_deleted(mesh: Mesh, products: tuple[str, str]) -> None:
    product, _ = products
    publish(mesh, product, range(5))
    table = mesh.lookup(product)
    assert sorted(table.current()["sensor"].to_pylist()) == [f"s-{number}" for number in range(5)]
    producer = Producer({"bootstrap.servers": mesh.settings.bootstrap})
    # To the partition that holds the key, which only this topic knows.
    (message,) = [m for batch in mesh.read(product).batches() for m in batch.messages if m.key() == b"s-3"]
    producer.produce(message.topic(), None, b"s-3", partition=message.partition())
    assert producer.flush(20) == 0
    turns = iter(range(200))
    while "s-3" in table.current()["sensor"].to_pylist():
        assert next(turns) < 199
        threading.Event().wait(0.05)
    table.close()


def test_what_is_looked_up_is_all_there_before_the_first_batch(mesh: Mesh, products: tuple[str, str]) -> None:
    (reads, makes), names = products, new_product(mesh)
    publish(mesh, names, range(500))
    publish(mesh, reads, range(10))
    rows: list[int] = []

    def looking(batch: pa.RecordBatch, table: pa.Table) -> pa.Table:
        rows.append(table.num_rows)
        return warmed(batch)

    with mesh.derive(Pipeline(makes, {reads: looking}, (names,)), pace=SOON) as run:
        until(run, 10)
    assert set(rows) == {5}


def test_a_position_whose_events_are_gone_stops_the_pipeline(mesh: Mesh, products: tuple[str, str]) -> None:
    reads, makes = products
    topic = mesh.port(reads).topic
    publish(mesh, reads, range(10))
    consumer = Consumer({"bootstrap.servers": mesh.settings.bootstrap, "group.id": makes})
    consumer.commit(offsets=[TopicPartition(topic, 0, 1_000)], asynchronous=False)
    consumer.close()
    with (
        pytest.raises(MeshError) as failure,
        mesh.derive(Pipeline(makes, {reads: warmed}), pace=SOON) as run,
    ):
        until(run, 1_000)
    assert (failure.value.error_code, failure.value.where) == ("MESH-K053", f"{topic}/0/1000")
