"""Who may go on with a transaction, and how it ends: epochs, fencing, time-outs, markers, on both brokers."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from tests.conformance.raw_transactions import ADD_PARTITIONS, LIST_TRANSACTIONS, Producer, eventually

OK, NOT_OPEN = ErrorCode.none, ErrorCode.invalid_txn_state
OLD_EPOCH, FENCED = ErrorCode.invalid_producer_epoch, ErrorCode.producer_fenced
COMMIT, ABORT = 1, 0


def timed_out(producer: Producer) -> Producer:
    """One whose transaction the broker has aborted, because it was open for too long."""
    while producer.begun(transaction_timeout=1000).produce(0)[0] != OK:
        pass  # on a busy machine a second may be over before the first event is written
    return producer.settled()


def marker(producer: Producer) -> tuple[int, int]:
    """(epoch, 1 for commit and 0 for abort) of the last batch."""
    eventually(lambda: bool(producer.batches()), "there is no batch, though one was acknowledged")
    data = producer.batches()[-1]
    return int.from_bytes(data[51:53], "big"), int.from_bytes(data[68:70], "big")


# Fencing


REQUESTS: list[tuple[str, range, Callable[[Producer, int], Any]]] = [
    ("AddPartitionsToTxn", range(4), lambda p, v: p.add(version=v)[0]),
    ("AddOffsetsToTxn", range(5), lambda p, v: p.add_offsets(v)),
    ("TxnOffsetCommit", range(5), lambda p, v: p.commit_offset(1, v)),
    ("EndTxn to commit", range(5), lambda p, v: p.end(True, v)),
    ("EndTxn to abort", range(5), lambda p, v: p.end(False, v)),
    ("Produce", range(3, 12), lambda p, v: p.produce(1, version=v)[0]),
]
NEVER_SAYS_FENCED = {"TxnOffsetCommit", "Produce"}


@pytest.mark.parametrize(("request_name", "versions", "ask"), REQUESTS, ids=[name for name, _, _ in REQUESTS])
def test_who_was_replaced_is_told_so_by_every_request(
    producer: Producer, request_name: str, versions: range, ask: Callable[[Producer, int], Any]
) -> None:
    """PRODUCER_FENCED came with version 2; Produce and TxnOffsetCommit never learned to say it."""
    producer.begun().write()
    producer.init()
    answers = [ask(producer, version) for version in versions]
    says_fenced = request_name not in NEVER_SAYS_FENCED
    assert answers == [FENCED if says_fenced and version >= 2 else OLD_EPOCH for version in versions]


def test_who_was_timed_out_is_told_so_by_every_request(producer: Producer) -> None:
    timed_out(producer)
    answers = {name: ask(producer, versions[-1]) for name, versions, ask in REQUESTS}
    assert answers == {name: OLD_EPOCH if name in NEVER_SAYS_FENCED else FENCED for name in answers}


# Epochs


def test_what_is_open_is_aborted_one_epoch_on_and_who_asked_gets_the_next(producer: Producer) -> None:
    """The marker itself carries an epoch that nobody holds: it fences who wrote the transaction."""
    producer.begun().write()
    _, given, epoch = producer.init()
    assert (given, epoch) == (producer.id, producer.epoch + 2)
    assert marker(producer.settled()) == (producer.epoch + 1, ABORT)


def test_a_time_out_aborts_one_epoch_on(producer: Producer) -> None:
    timed_out(producer)
    assert marker(producer) == (producer.epoch + 1, ABORT)
    assert producer.init() == (OK, producer.id, producer.epoch + 2)


@pytest.mark.parametrize("version", [3, 4, 5])
def test_who_names_its_epoch_may_end_what_it_left_open_and_ask_again(
    producer: Producer, version: int
) -> None:
    """The epoch of the abort becomes that of whoever held the transaction: one on, not two."""
    producer.begun().write()
    own = {"producer_id": producer.id, "producer_epoch": producer.epoch}
    answers = [producer.init(version, **own) for _ in range(2)]
    assert answers == [(OK, producer.id, producer.epoch + 1)] * 2
    assert marker(producer.settled()) == (producer.epoch + 1, ABORT)


def test_who_was_timed_out_and_names_its_epoch_may_go_on(producer: Producer) -> None:
    """So the Java client recovers from a time-out (KIP-588); librdkafka takes itself for fenced."""
    timed_out(producer)
    code, given, epoch = producer.init(producer_id=producer.id, producer_epoch=producer.epoch)
    assert (code, given, epoch) == (OK, producer.id, producer.epoch + 1)
    producer.epoch = epoch
    assert (producer.add(), producer.produce(0)[0], producer.end(True)) == ([OK], OK, OK)


def test_who_was_timed_out_and_then_replaced_may_not_go_on(producer: Producer) -> None:
    timed_out(producer)
    producer.init()
    assert producer.init(producer_id=producer.id, producer_epoch=producer.epoch)[0] == FENCED


@pytest.mark.parametrize("named", [{"producer_id": 7}, {"producer_epoch": 7}], ids=["id", "epoch"])
def test_an_id_is_named_with_its_epoch_or_not_at_all(producer: Producer, named: dict[str, int]) -> None:
    assert producer.init(**named)[0] == ErrorCode.invalid_request


@pytest.mark.parametrize("timeout", [1, 15 * 60 * 1000])
def test_the_bounds_of_the_time_out_are_within(producer: Producer, timeout: int) -> None:
    assert producer.init(transaction_timeout=timeout)[0] == OK


# Partitions of a transaction


@pytest.mark.parametrize("version", range(4))
def test_a_topic_that_is_not_there_keeps_all_others_out(producer: Producer, version: int) -> None:
    own = {"transactional_id": producer.ready().name, "producer_id": producer.id, "producer_epoch": 0}
    topics = [{"name": name, "partitions": [0]} for name in (producer.topic, "not-there")]
    values = {f"v3_and_below_{key}": value for key, value in (own | {"topics": topics}).items()}
    answer = producer.connection.call(ADD_PARTITIONS, version, **values)
    found = {t.name: t.results_by_partition[0] for t in answer.results_by_topic_v3_and_below}
    assert {name: part.partition_error_code for name, part in found.items()} == {
        producer.topic: ErrorCode.operation_not_attempted,
        "not-there": ErrorCode.unknown_topic_or_partition,
    }


def test_a_partition_that_is_added_twice_gets_one_marker(producer: Producer) -> None:
    producer.begun(0)
    assert producer.add([0, 1]) == [OK, OK]
    producer.write()
    producer.write(partition=1)
    producer.end(True)
    ends = [producer.settled().offset(-1, 0, partition) for partition in (0, 1)]
    assert ends == [2, 2]


def test_one_transaction_after_another_goes_on_with_the_sequence(producer: Producer) -> None:
    producer.ready()
    offsets = []
    for committed in (True, False, True):
        producer.add()
        offsets.append(producer.write())
        producer.end(committed)
        producer.settled()
    assert offsets == [0, 2, 4]


def test_between_transactions_a_producer_writes_what_it_likes(producer: Producer) -> None:
    producer.ready()
    producer.plain(0)
    producer.add()
    answers = [producer.produce(1), producer.end(True), producer.settled().plain(2)]
    assert answers == [(OK, 1), OK, (OK, 3)]


@pytest.mark.parametrize("version", range(3, 12))
def test_what_was_not_added_is_refused_in_the_words_of_the_version(producer: Producer, version: int) -> None:
    """Version 11 is the first whose clients know TRANSACTION_ABORTABLE."""
    code = ErrorCode.transaction_abortable if version >= 11 else NOT_OPEN
    assert producer.ready().produce(0, version=version) == (code, -1)


def test_a_transactional_batch_is_sent_under_the_name_of_its_producer(producer: Producer) -> None:
    producer.begun()
    unnamed = producer.produce(0, transactional_id=None)[0]
    misnamed = producer.produce(0, transactional_id="somebody else")[0]
    assert (unnamed, misnamed) == (
        ErrorCode.transactional_id_authorization_failed,
        ErrorCode.invalid_producer_id_mapping,
    )
    assert producer.offset(-1, 0) == 0


def test_two_producers_have_a_transaction_in_one_partition_at_a_time(producer: Producer) -> None:
    other = producer.begun().twin().begun()
    offsets = [who.write() for who in (producer, other, producer)]
    assert (offsets, other.end(True), producer.end(False)) == ([0, 1, 2], OK, OK)


# Markers


@pytest.mark.parametrize("kind", [COMMIT, ABORT])
def test_a_marker_is_what_kafka_writes(producer: Producer, kind: int) -> None:
    """One record: key version 0 and type, value version 0 and the coordinator's epoch 0."""
    producer.begun().write()
    producer.end(kind == COMMIT)
    data = producer.settled().batches()[-1]
    _, length, _, magic, _, attributes, delta = struct.unpack_from(">qiibIhi", data)
    assert (length, magic, attributes, delta) == (66, 2, 0x30, 0)
    assert struct.unpack_from(">qhii", data, 43) == (producer.id, producer.epoch, -1, 1)
    assert data[61:] == bytes([32, 0, 0, 0, 8, 0, 0, 0, kind, 12, 0, 0, 0, 0, 0, 0, 0])


def test_a_marker_takes_one_offset_in_every_partition_that_was_written(producer: Producer) -> None:
    producer.begun(0, 1)
    producer.write(b"a", b"b")
    producer.write(partition=1)
    producer.end(False)
    producer.settled()
    assert [producer.offset(-1, 0, partition) for partition in (0, 1)] == [3, 2]


# Topics that go


def test_a_transaction_outlives_a_topic_that_it_wrote_to(producer: Producer) -> None:
    producer.begun().write()
    producer.admin.delete_topics([producer.topic])[producer.topic].result(20)
    gone = ErrorCode.unknown_topic_or_partition
    eventually(lambda: producer.produce(1)[0] == gone, "the topic is still there")
    answers = [producer.add([1]), producer.end(True), producer.add_offsets(), producer.end(True)]
    assert answers == [[gone], OK, OK, OK]


def test_a_topic_made_anew_takes_part_in_what_is_open_under_its_name(producer: Producer) -> None:
    """Transactions hold names, not topic ids."""
    producer.begun().write()
    producer.admin.delete_topics([producer.topic])[producer.topic].result(20)
    gone = ErrorCode.unknown_topic_or_partition
    eventually(lambda: producer.place(0, -1).error_code == gone, "the topic is still there")
    producer.create_topic()
    assert (producer.offset(-1, 0), producer.write()) == (0, 0)
    producer.end(True)
    assert producer.settled().offset(-1, 1) == 2


# Reports


def test_a_transaction_that_is_over_is_described_without_partitions(producer: Producer) -> None:
    """Its start is still told."""
    before = time.time()
    producer.begun().write()
    producer.end(False)
    eventually(lambda: producer.described().transaction_state == "CompleteAbort", "it did not end")
    found = producer.described()
    assert (found.producer_id, found.producer_epoch, found.topics) == (producer.id, producer.epoch, ())
    assert before - 1 <= found.transaction_start_time.timestamp() <= time.time()


def test_an_open_transaction_tells_its_time_out_and_its_start(producer: Producer) -> None:
    before = time.time()
    producer.begun(transaction_timeout=12_345)
    found = producer.described()
    assert found.transaction_timeout.total_seconds() == 12.345
    assert before - 1 <= found.transaction_start_time.timestamp() <= time.time() + 1


@pytest.mark.parametrize("version", range(3))
def test_a_transaction_is_listed_as_long_as_its_id_is_known(producer: Producer, version: int) -> None:
    filters: dict[str, Any] = {"state_filters": [], "producer_id_filters": [producer.ready().id]}
    filters |= {"duration_filter": -1, "transactional_id_pattern": None}

    def listed() -> list[tuple[str, str]]:
        found = producer.connection.call(LIST_TRANSACTIONS, version, **filters).transaction_states
        return [(state.transactional_id, state.transaction_state) for state in found]

    assert listed() == [(producer.name, "Empty")]
    producer.add()
    assert listed() == [(producer.name, "Ongoing")]
    producer.end(True)
    eventually(lambda: listed() == [(producer.name, "CompleteCommit")], "it did not end")


def test_after_a_marker_a_partition_tells_of_no_transaction(producer: Producer) -> None:
    producer.begun().write()
    producer.end(True)
    known = producer.settled().active()
    assert (known.producer_epoch, known.last_sequence) == (producer.epoch, 0)
    assert (known.coordinator_epoch, known.current_txn_start_offset) == (0, -1)


def test_after_a_fencing_marker_a_partition_knows_no_sequence(producer: Producer) -> None:
    producer.begun().write()
    producer.init()
    known = producer.settled().active()
    assert (known.producer_epoch, known.last_sequence) == (producer.epoch + 1, -1)
