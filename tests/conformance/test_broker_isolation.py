"""What a reader sees of transactions: the last stable offset, aborted lists, waiting, on both brokers.

Kafka may name more aborted transactions than the answer's batches need; a reader that was told of too many
drops nothing wrongly. So lists are compared where they are exact; what a client makes of them is elsewhere.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import TopicPartition
from kio.schema.errors import ErrorCode

from tests.conformance.batches import base_offset, split
from tests.conformance.raw_transactions import Producer, eventually
from tests.unit.broker_kit import Item

UNCOMMITTED, COMMITTED = 0, 1
START, END, LATEST_TIME = -2, -1, -3
WAIT_MS = 20_000


def told(fetched: object) -> set[tuple[int, int]]:
    """(producer id, first offset) of every aborted transaction in the answer."""
    return {(a.producer_id, a.first_offset) for a in getattr(fetched, "aborted_transactions", ())}


def delete_before(producer: Producer, offset: int) -> None:
    place = TopicPartition(producer.topic, 0, offset)
    producer.admin.delete_records([place])[place].result(20)


# The last stable offset


def test_the_oldest_open_transaction_holds_up_all_that_follow(producer: Producer) -> None:
    oldest, younger = producer.begun(), producer.twin().begun()
    ends = []
    for step in (oldest.write, younger.write, lambda: younger.end(True), lambda: oldest.end(True)):
        step()
        ends.append(producer.offset(END, COMMITTED))
    producer.settled()
    assert (ends[:3], producer.offset(END, COMMITTED)) == ([0, 0, 0], 4)


def test_it_moves_on_to_the_next_open_transaction(producer: Producer) -> None:
    younger = producer.begun().twin().begun()
    producer.write()
    younger.write()
    producer.end(True)
    eventually(lambda: producer.offset(END, COMMITTED) == 1, "no marker came")
    assert [base_offset(data) for data in split(producer.fetch(0).records)] == [0]


def test_a_transaction_without_events_holds_up_nobody(producer: Producer) -> None:
    other = producer.begun().twin().idempotent()
    other.plain(0)
    assert (producer.offset(END, COMMITTED), producer.offset(END, UNCOMMITTED)) == (1, 1)


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_between_what_is_stable_and_the_end_there_is_nothing_yet(producer: Producer, offset: int) -> None:
    producer.begun().write()
    producer.write()
    fetched = producer.fetch(offset)
    assert (fetched.error_code, fetched.records) == (ErrorCode.none, b"")
    assert (fetched.last_stable_offset, fetched.high_watermark, told(fetched)) == (0, 2, set())


def test_beyond_the_end_is_out_of_range_for_every_reader(producer: Producer) -> None:
    producer.begun().write()
    codes = [producer.fetch(2, isolation).error_code for isolation in (COMMITTED, UNCOMMITTED)]
    assert codes == [ErrorCode.offset_out_of_range] * 2


# Times


@pytest.fixture
def timed(producer: Producer) -> Producer:
    """Events at 1 s and 5 s, the second and another one at 9 s not yet stable."""
    producer.ready().plain(0, Item(timestamp=1_000))
    producer.add()
    producer.produce(1, Item(timestamp=5_000))
    producer.twin().idempotent().plain(0, Item(timestamp=9_000))
    return producer


@pytest.mark.parametrize(
    ("timestamp", "uncommitted", "committed"),
    [(1_000, 0, 0), (1_001, 1, -1), (5_001, 2, -1), (9_001, -1, -1), (LATEST_TIME, 2, -1)],
    ids=["stable", "open", "after what is open", "after all", "largest time"],
)
def test_a_time_is_found_only_in_what_the_reader_may_see(
    timed: Producer, timestamp: int, uncommitted: int, committed: int
) -> None:
    found = [timed.offset(timestamp, isolation) for isolation in (UNCOMMITTED, COMMITTED)]
    assert found == [uncommitted, committed]


def test_a_time_is_found_by_all_once_the_transaction_is_over(timed: Producer) -> None:
    timed.end(True)
    assert timed.settled().offset(5_001, COMMITTED) == 2


# Aborted lists


def test_each_aborted_transaction_is_told_with_where_it_began(producer: Producer) -> None:
    producer.begun()
    others = [producer.twin().begun() for _ in range(2)]
    writers = [producer, *others]
    for writer in writers * 2:
        writer.write()
    for writer, committed in zip(writers, (True, False, False), strict=True):
        writer.end(committed)
    producer.settled()
    assert told(producer.fetch(0)) == {(others[0].id, 1), (others[1].id, 2)}


def test_of_one_producer_only_what_was_aborted_is_told(producer: Producer) -> None:
    producer.ready()
    for committed in (True, False, True):
        producer.add()
        producer.write()
        producer.end(committed)
        producer.settled()
    assert told(producer.fetch(2)) == {(producer.id, 2)}
    assert told(producer.fetch(4)) == set()


@pytest.mark.parametrize("offset", range(4))
def test_batch_by_batch_a_reader_is_told_each_time(producer: Producer, offset: int) -> None:
    """Also with the marker itself, which is the last batch."""
    producer.begun()
    for _ in range(3):
        producer.write()
    producer.end(False)
    fetched = producer.settled().fetch(offset, limit=1)
    assert [base_offset(data) for data in split(fetched.records)] == [offset]
    assert told(fetched) == {(producer.id, 0)}


def test_after_its_marker_an_aborted_transaction_is_told_no_more(producer: Producer) -> None:
    producer.begun().write()
    producer.end(False)
    producer.settled().add()
    producer.write()
    producer.end(True)
    assert told(producer.settled().fetch(2)) == set()


def test_an_aborted_transaction_is_told_in_every_segment_that_it_reached(producer: Producer) -> None:
    """Three events of 600 KB: with segments of 1 MiB they lie in several."""
    big = producer.elsewhere(**{"segment.bytes": str(1 << 20)}).begun()
    for _ in range(3):
        big.write(b"x" * 600_000)
    big.end(False)
    fetched = [big.settled().fetch(offset, limit=1) for offset in range(4)]
    assert [told(answer) for answer in fetched] == [{(big.id, 0)}] * 4


# Deleted records


def test_deleting_into_an_open_transaction_moves_what_is_stable_along(producer: Producer) -> None:
    producer.begun()
    for _ in range(4):
        producer.write()
    delete_before(producer, 2)
    assert [producer.offset(where, COMMITTED) for where in (START, END)] == [2, 2]
    assert producer.fetch(1).error_code == ErrorCode.offset_out_of_range
    producer.end(False)
    assert told(producer.settled().fetch(2)) == {(producer.id, 0)}


def test_a_transaction_whose_events_were_all_deleted_is_still_open(producer: Producer) -> None:
    producer.begun().write()
    delete_before(producer, 1)
    producer.write()
    assert (producer.offset(END, COMMITTED), producer.offset(END, UNCOMMITTED)) == (1, 2)
    producer.end(True)
    assert producer.settled().offset(END, COMMITTED) == 3


# Waiting


def test_a_waiting_reader_is_woken_by_the_marker_and_not_by_what_is_open(producer: Producer) -> None:
    producer.begun().write()
    reader = producer.twin()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(reader.fetch, 0, COMMITTED, WAIT_MS)
        producer.write()
        assert producer.fetch(0, UNCOMMITTED).high_watermark == 2
        early = answer.done()
        began = time.monotonic()
        producer.end(True)
        fetched = answer.result(30)
    offsets = [base_offset(data) for data in split(fetched.records)]
    assert (early, offsets[:2], time.monotonic() - began < 10) == (False, [0, 1], True)


def test_what_is_stable_does_not_wait_for_what_is_not(producer: Producer) -> None:
    producer.ready().plain(0)
    producer.add()
    producer.produce(1)
    began = time.monotonic()
    fetched = producer.fetch(0, COMMITTED, WAIT_MS)
    assert [base_offset(data) for data in split(fetched.records)] == [0]
    assert time.monotonic() - began < 10
