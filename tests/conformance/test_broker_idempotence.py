"""Idempotent producers, one batch at a time: what a partition takes, repeats and refuses on both brokers."""

from __future__ import annotations

import time

import pytest
from confluent_kafka import TopicPartition
from kio.schema.errors import ErrorCode

from tests.conformance.raw_transactions import PRODUCE, Producer, eventually
from tests.unit.broker_kit import Item, batch

LAST = 2**31 - 1
OK, OUT_OF_ORDER = ErrorCode.none, ErrorCode.out_of_order_sequence_number


@pytest.fixture
def writer(producer: Producer) -> Producer:
    return producer.idempotent()


# Repeats and gaps


def test_each_of_the_last_five_batches_is_answered_with_the_offset_it_got(writer: Producer) -> None:
    written = [writer.plain(sequence) for sequence in range(7)]
    assert [writer.plain(sequence) for sequence in range(2, 7)] == written[2:]


def test_a_repeat_writes_nothing(writer: Producer) -> None:
    for _ in range(3):
        writer.plain(0, Item(), Item())
    assert writer.offset(-1, 0) == 2


def test_a_repeat_older_than_the_last_five_is_out_of_order(writer: Producer) -> None:
    for sequence in range(6):
        writer.plain(sequence)
    assert writer.plain(0) == (OUT_OF_ORDER, -1)


def test_a_gap_is_out_of_order_and_what_fills_it_is_taken(writer: Producer) -> None:
    answers = [writer.plain(sequence) for sequence in (0, 2, 1, 2)]
    assert answers == [(OK, 0), (OUT_OF_ORDER, -1), (OK, 1), (OK, 2)]


def test_a_batch_that_overlaps_an_older_one_is_no_repeat(writer: Producer) -> None:
    writer.plain(0, Item(), Item())
    answers = [writer.plain(0), writer.plain(1), writer.plain(0, Item(), Item(), Item())]
    assert answers == [(OUT_OF_ORDER, -1)] * 3


def test_a_batch_that_was_refused_takes_no_sequence(writer: Producer) -> None:
    data = bytearray(batch(producer=(writer.id, writer.epoch, 0)))
    data[-1] ^= 1
    assert writer.send(bytes(data)).error_code == ErrorCode.corrupt_message
    assert writer.plain(0) == (OK, 0)


@pytest.mark.parametrize("version", range(3, 12))
def test_every_version_knows_a_repeat_from_a_gap(writer: Producer, version: int) -> None:
    answers = [writer.plain(sequence, version=version) for sequence in (0, 0, 2)]
    assert answers == [(OK, 0), (OK, 0), (OUT_OF_ORDER, -1)]


def test_a_repeat_beside_something_new_is_answered_by_itself(writer: Producer) -> None:
    writer.plain(0)
    data = batch(producer=(writer.id, writer.epoch, 0))
    parts = [{"index": index, "records": data} for index in (0, 1)]
    topics = [{"name": writer.topic, "partition_data": parts}]
    answer = writer.connection.call(
        PRODUCE, 9, transactional_id=None, acks=-1, timeout=5000, topic_data=topics
    )
    codes = {part.index: part.error_code for part in answer.responses[0].partition_responses}
    assert (codes, writer.offset(-1, 0, 0), writer.offset(-1, 0, 1)) == ({0: OK, 1: OK}, 1, 1)


# Sequences


def test_after_the_last_sequence_comes_zero(writer: Producer) -> None:
    answers = [writer.plain(LAST - 1, Item(), Item()), writer.plain(0), writer.plain(1)]
    assert answers == [(OK, 0), (OK, 2), (OK, 3)]


def test_sequences_may_wrap_inside_a_batch(writer: Producer) -> None:
    def wrapping() -> tuple[ErrorCode, int]:
        return writer.plain(LAST, Item(), Item(), Item())

    assert [wrapping(), writer.plain(2), wrapping()] == [(OK, 0), (OK, 3), (OK, 0)]


def test_partitions_count_for_themselves(writer: Producer) -> None:
    answers = [writer.plain(0), writer.plain(0, partition=1), writer.plain(1), writer.plain(1, partition=1)]
    assert answers == [(OK, 0), (OK, 0), (OK, 1), (OK, 1)]


def test_producers_do_not_disturb_each_other(writer: Producer) -> None:
    other = writer.twin().idempotent()
    answers = [who.plain(sequence) for sequence in (0, 1, 0) for who in (writer, other)]
    assert [offset for _, offset in answers] == [0, 1, 2, 3, 0, 1]


def test_a_producer_that_a_partition_does_not_know_may_begin_anywhere(writer: Producer) -> None:
    """Kafka cannot tell it from one whose events are all gone; ids that nobody was given are taken too."""
    answers = [writer.plain(42), writer.plain(43), writer.plain(7, id=writer.id + 10**6)]
    assert answers == [(OK, 0), (OK, 1), (OK, 2)]


def test_deleting_every_record_forgets_no_producer(writer: Producer) -> None:
    for sequence in range(3):
        writer.plain(sequence)
    place = TopicPartition(writer.topic, 0, 3)
    writer.admin.delete_records([place])[place].result(20)
    answers = [writer.plain(sequence) for sequence in (2, 5, 3)]
    assert answers == [(OK, 2), (OUT_OF_ORDER, -1), (OK, 3)]


# Epochs


def test_a_new_epoch_begins_at_zero(writer: Producer) -> None:
    writer.plain(0)
    answers = [writer.plain(sequence, epoch=1) for sequence in (1, 0, 0, 1)]
    assert answers == [(OUT_OF_ORDER, -1), (OK, 1), (OK, 1), (OK, 2)]


@pytest.mark.parametrize("sequence", [0, 1], ids=["a repeat", "what is next"])
def test_an_older_epoch_is_refused(writer: Producer, sequence: int) -> None:
    writer.plain(0)
    writer.plain(0, epoch=1)
    assert writer.plain(sequence, epoch=0) == (ErrorCode.invalid_producer_epoch, -1)


def test_a_batch_of_a_producer_needs_a_sequence(writer: Producer) -> None:
    assert writer.plain(-1) == (ErrorCode.invalid_record, -1)


# Ids


@pytest.mark.parametrize("version", range(6))
def test_everyone_who_asks_without_a_name_gets_an_id_of_its_own(producer: Producer, version: int) -> None:
    """The time-out is that of transactions: without a name nobody looks at it."""
    first = producer.init(version, transactional_id=None, transaction_timeout=0)
    second = producer.init(version, transactional_id=None, transaction_timeout=2**31 - 1)
    assert (first[0], first[2], second[0], second[2]) == (OK, 0, OK, 0)
    assert first[1] != second[1]


@pytest.mark.parametrize("version", [3, 4, 5])
def test_an_id_that_is_named_without_a_name_is_given_to_nobody(writer: Producer, version: int) -> None:
    """Kafka gives a new one: without a transactional id nobody can prove to be the former holder."""
    own = {"transactional_id": None, "producer_id": writer.id, "producer_epoch": writer.epoch}
    code, given, epoch = writer.init(version, **own)
    assert (code, given == writer.id, epoch) == (OK, False, 0)


# What is told


def test_a_repeat_is_told_the_time_at_which_it_was_written(producer: Producer) -> None:
    writer = producer.elsewhere(**{"message.timestamp.type": "LogAppendTime"}).idempotent()
    data = batch(producer=(writer.id, writer.epoch, 0))
    first = writer.send(data).log_append_time
    eventually(lambda: time.time() >= first.timestamp() + 0.01, "the clock stands still")
    assert writer.send(data).log_append_time == first


def test_a_partition_tells_what_it_knows_of_a_producer(writer: Producer) -> None:
    writer.plain(0, Item(), Item())
    known = writer.active()
    assert (known.producer_epoch, known.last_sequence, known.current_txn_start_offset) == (0, 1, -1)
