"""Requests of transactional producers, one by one: answers and error codes on both brokers."""

from __future__ import annotations

import time
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from mesh_platform.brokers import RunningBroker
from tests.conformance.raw_transactions import (
    DESCRIBE_PRODUCERS,
    DESCRIBE_TRANSACTIONS,
    LIST_TRANSACTIONS,
    Producer,
)
from tests.unit.broker_kit import Item

# InitProducerId


@pytest.mark.parametrize("timeout", [0, 15 * 60 * 1000 + 1])
def test_a_time_out_must_be_within_bounds(producer: Producer, timeout: int) -> None:
    assert producer.init(transaction_timeout=timeout)[0] == ErrorCode.invalid_transaction_timeout


def test_an_empty_transactional_id_is_refused(producer: Producer) -> None:
    assert producer.init(transactional_id="")[0] == ErrorCode.invalid_request


def test_each_init_gives_the_same_id_and_the_next_epoch(producer: Producer) -> None:
    first, second = producer.init(), producer.init()
    assert (first[2], second[1], second[2]) == (0, first[1], 1)


def test_who_says_its_id_and_epoch_gets_the_next_and_may_ask_again(producer: Producer) -> None:
    _, given, epoch = producer.init()
    answers = [producer.init(producer_id=given, producer_epoch=epoch) for _ in range(2)]
    assert answers == [(ErrorCode.none, given, epoch + 1)] * 2


@pytest.mark.parametrize(
    ("version", "code"),
    [(3, ErrorCode.invalid_producer_epoch), (4, ErrorCode.producer_fenced), (5, ErrorCode.producer_fenced)],
)
def test_who_says_an_epoch_long_gone_is_fenced(producer: Producer, version: int, code: ErrorCode) -> None:
    _, given, epoch = producer.init()
    producer.init()
    assert producer.init(version, producer_id=given, producer_epoch=epoch)[0] == code


def test_init_aborts_what_is_open_and_fences_who_wrote_it(producer: Producer) -> None:
    producer.begun().produce(0)
    old: dict[str, Any] = {"producer_id": producer.id, "producer_epoch": producer.epoch}
    code, _, epoch = producer.init()
    assert (code, epoch > producer.epoch) == (ErrorCode.none, True)
    assert producer.produce(1)[0] == ErrorCode.invalid_producer_epoch
    assert producer.add(**old) == [ErrorCode.producer_fenced]
    assert producer.end(True, **old) == ErrorCode.producer_fenced
    assert [a.producer_id for a in producer.settled().fetch(0).aborted_transactions] == [producer.id]


# AddPartitionsToTxn, Produce


@pytest.mark.parametrize("version", range(4))
def test_partitions_are_added_only_by_who_holds_the_id(producer: Producer, version: int) -> None:
    producer.ready()
    fenced = ErrorCode.producer_fenced if version >= 2 else ErrorCode.invalid_producer_epoch
    unknown = ErrorCode.invalid_producer_id_mapping
    assert producer.add(version=version, producer_epoch=producer.epoch + 1) == [fenced]
    assert producer.add(version=version, producer_id=producer.id + 5000) == [unknown]
    assert producer.add(version=version, transactional_id="nobody") == [unknown]
    assert producer.add(version=version) == [ErrorCode.none]


def test_one_unknown_partition_keeps_all_others_out(producer: Producer) -> None:
    codes = producer.ready().add([0, 7])
    assert codes == [ErrorCode.operation_not_attempted, ErrorCode.unknown_topic_or_partition]
    assert producer.produce(0)[0] == ErrorCode.invalid_txn_state


def test_what_was_not_added_is_not_written(producer: Producer) -> None:
    assert producer.ready().produce(0)[0] == ErrorCode.invalid_txn_state


def test_nobody_writes_in_a_transaction_without_an_id(producer: Producer) -> None:
    assert producer.ready().produce(0, id=producer.id + 5000)[0] == ErrorCode.invalid_producer_id_mapping


def test_nothing_outside_the_transaction_while_it_is_open(producer: Producer) -> None:
    producer.begun().produce(0)
    assert producer.produce(1, attributes=0)[0] == ErrorCode.invalid_txn_state


def test_repeats_and_gaps_are_told_in_a_transaction_too(producer: Producer) -> None:
    producer.begun()
    answers = [producer.produce(sequence) for sequence in (0, 0, 5)]
    assert answers == [
        (ErrorCode.none, 0),
        (ErrorCode.none, 0),
        (ErrorCode.out_of_order_sequence_number, -1),
    ]


@pytest.mark.parametrize("epoch", [-1, 1])
def test_another_epoch_than_the_present_one_is_refused(producer: Producer, epoch: int) -> None:
    producer.init()
    producer.begun().produce(0)
    assert producer.produce(1, epoch=producer.epoch + epoch)[0] == ErrorCode.invalid_producer_epoch


# EndTxn


def test_there_is_nothing_to_end_without_a_transaction(producer: Producer) -> None:
    assert producer.ready().end(True) == ErrorCode.invalid_txn_state


@pytest.mark.parametrize("committed", [True, False])
def test_the_same_decision_again_is_fine_the_other_is_not(producer: Producer, committed: bool) -> None:
    producer.begun().produce(0)
    answers = [producer.end(committed), producer.end(committed), producer.end(not committed)]
    assert answers == [ErrorCode.none, ErrorCode.none, ErrorCode.invalid_txn_state]


@pytest.mark.parametrize("version", range(5))
def test_only_who_holds_the_id_ends_its_transaction(producer: Producer, version: int) -> None:
    producer.begun()
    fenced = ErrorCode.producer_fenced if version >= 2 else ErrorCode.invalid_producer_epoch
    unknown = ErrorCode.invalid_producer_id_mapping
    assert producer.end(True, version, producer_epoch=producer.epoch + 1) == fenced
    assert producer.end(True, version, producer_id=producer.id + 5000) == unknown
    assert producer.end(True, version, transactional_id="nobody") == unknown


def test_after_an_end_a_partition_must_be_added_again(producer: Producer) -> None:
    producer.begun().produce(0)
    producer.end(True)
    assert producer.settled().produce(1)[0] == ErrorCode.invalid_txn_state


def test_a_transaction_open_for_longer_than_its_time_out_is_aborted(producer: Producer) -> None:
    while producer.begun(transaction_timeout=2000).produce(0)[0] != ErrorCode.none:
        pass  # on a busy machine the time may be over before anything was written
    answer = producer.settled().fetch(0)
    assert answer.aborted_transactions, answer
    assert answer.aborted_transactions[0].producer_id == producer.id
    assert producer.end(True) == ErrorCode.producer_fenced
    assert producer.init()[0] == ErrorCode.none


# What is seen


def test_the_end_of_what_is_stable_is_where_the_open_transaction_began(producer: Producer) -> None:
    producer.begun()
    producer.produce(0, Item(), Item())
    fetched = producer.fetch(0)
    assert (fetched.high_watermark, fetched.last_stable_offset, fetched.records) == (2, 0, b"")
    assert (producer.offset(-1, 0), producer.offset(-1, 1)) == (2, 0)


def test_who_reads_uncommitted_gets_everything_and_no_list(producer: Producer) -> None:
    producer.begun().produce(0)
    fetched = producer.fetch(0, isolation=0)
    assert (len(fetched.records) > 0, fetched.aborted_transactions) == (True, None)


def test_a_time_beyond_what_is_stable_is_not_found(producer: Producer) -> None:
    producer.begun().produce(0)
    assert (producer.offset(0, 0), producer.offset(0, 1)) == (0, -1)


def test_a_fetch_from_the_middle_of_an_aborted_transaction_is_told_of_it(producer: Producer) -> None:
    producer.begun()
    for sequence in range(3):
        producer.produce(sequence)
    producer.end(False)
    aborted = producer.settled().fetch(2).aborted_transactions
    assert [(a.producer_id, a.first_offset) for a in aborted] == [(producer.id, 0)]


def test_a_committed_transaction_is_in_no_list(producer: Producer) -> None:
    producer.begun().produce(0)
    producer.end(True)
    assert list(producer.settled().fetch(0).aborted_transactions or ()) == []


@pytest.mark.parametrize("committed", [True, False])
def test_a_marker_is_a_control_batch_that_says_how_it_ended(producer: Producer, committed: bool) -> None:
    producer.begun().produce(0)
    producer.end(committed)
    data = producer.settled().fetch(1).records
    attributes, key = int.from_bytes(data[21:23], "big"), data[66:70]
    assert (attributes & 0x30, key) == (0x30, bytes([0, 0, 0, committed]))


def test_a_fetch_waits_while_there_is_only_what_is_open(producer: Producer, broker: RunningBroker) -> None:
    producer.begun().produce(0)
    began = time.monotonic()
    fetched = producer.fetch(0, wait_ms=400)
    assert (fetched.records, time.monotonic() - began >= 0.3) == (b"", True)


# Offsets in transactions


def test_an_offset_waits_for_the_end_of_its_transaction(producer: Producer) -> None:
    producer.begun().add_offsets()
    assert producer.commit_offset(5) == ErrorCode.none
    waiting = (producer.position(stable=True), producer.position(stable=False))
    assert waiting == ((ErrorCode.unstable_offset_commit, -1), (ErrorCode.none, -1))


@pytest.mark.parametrize(("committed", "offset"), [(True, 5), (False, -1)])
def test_an_offset_counts_when_its_transaction_commits(
    producer: Producer, committed: bool, offset: int
) -> None:
    producer.begun().add_offsets()
    producer.commit_offset(5)
    producer.end(committed)
    deadline = time.monotonic() + 30
    while (found := producer.position(stable=True))[0] == ErrorCode.unstable_offset_commit:
        assert time.monotonic() < deadline
    assert found == (ErrorCode.none, offset)


def test_an_offset_needs_its_group_in_the_transaction(producer: Producer) -> None:
    assert producer.begun().commit_offset(5) == ErrorCode.invalid_txn_state


@pytest.mark.parametrize("version", range(5))
def test_only_who_holds_the_id_commits_offsets(producer: Producer, version: int) -> None:
    producer.begun().add_offsets()
    older = ErrorCode.invalid_producer_epoch
    assert producer.commit_offset(1, version, producer_epoch=producer.epoch + 1) == older
    assert producer.commit_offset(1, version) == ErrorCode.none


@pytest.mark.parametrize("version", range(5))
def test_only_who_holds_the_id_adds_groups(producer: Producer, version: int) -> None:
    producer.ready()
    fenced = ErrorCode.producer_fenced if version >= 2 else ErrorCode.invalid_producer_epoch
    unknown = ErrorCode.invalid_producer_id_mapping
    assert producer.add_offsets(version, producer_epoch=producer.epoch + 1) == fenced
    assert producer.add_offsets(version, transactional_id="nobody") == unknown
    assert producer.add_offsets(version) == ErrorCode.none


def test_an_offset_of_a_partition_that_is_not_there_is_refused(producer: Producer) -> None:
    producer.begun().add_offsets()
    assert producer.commit_offset(1, partition=9) == ErrorCode.unknown_topic_or_partition


def test_a_generation_that_is_said_must_be_the_members(producer: Producer) -> None:
    producer.begun().add_offsets()
    producer.commit_offset(1)
    code = producer.commit_offset(1, generation_id=3, member_id="nobody")
    assert code == ErrorCode.unknown_member_id


# Reports


def test_an_open_transaction_is_described(producer: Producer) -> None:
    producer.begun()
    answer = producer.connection.call(DESCRIBE_TRANSACTIONS, 0, transactional_ids=[producer.name])
    (found,) = answer.transaction_states
    assert (found.error_code, found.transaction_state) == (ErrorCode.none, "Ongoing")
    assert (found.producer_id, found.producer_epoch) == (producer.id, producer.epoch)
    assert {t.topic: t.partitions for t in found.topics}[producer.topic] == (0,)


def test_a_transactional_id_that_nobody_used_is_not_found(producer: Producer) -> None:
    answer = producer.connection.call(DESCRIBE_TRANSACTIONS, 0, transactional_ids=["nobody", ""])
    codes = [found.error_code for found in answer.transaction_states]
    assert codes == [ErrorCode.transactional_id_not_found, ErrorCode.invalid_request]


@pytest.mark.parametrize(
    ("filters", "listed"),
    [
        ({"state_filters": ["Ongoing"]}, True),
        ({"state_filters": ["Empty"]}, False),
        ({"producer_id_filters": ["own"]}, True),
        ({"producer_id_filters": [10**15]}, False),
        ({"duration_filter": 10**9}, False),
        ({"transactional_id_pattern": "x-.*"}, True),
        ({"transactional_id_pattern": "y-.*"}, False),
    ],
)
def test_transactions_are_listed_through_every_filter(
    producer: Producer, filters: dict[str, Any], listed: bool
) -> None:
    producer.begun()
    values: dict[str, Any] = {"state_filters": [], "producer_id_filters": [], "duration_filter": -1}
    values |= {"transactional_id_pattern": None} | filters
    values["producer_id_filters"] = [producer.id if p == "own" else p for p in values["producer_id_filters"]]
    answer = producer.connection.call(LIST_TRANSACTIONS, 2, **values)
    found = {state.transactional_id: state.transaction_state for state in answer.transaction_states}
    assert found.get(producer.name) == ("Ongoing" if listed else None)


def test_a_state_that_is_none_is_named(producer: Producer) -> None:
    values = {"state_filters": ["Odd", "Ongoing"], "producer_id_filters": []}
    assert producer.connection.call(LIST_TRANSACTIONS, 0, **values).unknown_state_filters == ("Odd",)


def test_a_pattern_that_is_none_is_refused(producer: Producer) -> None:
    values: dict[str, Any] = {"state_filters": [], "producer_id_filters": [], "duration_filter": -1}
    answer = producer.connection.call(LIST_TRANSACTIONS, 2, transactional_id_pattern="(", **values)
    assert answer.error_code == ErrorCode.invalid_regular_expression


def test_the_producers_of_a_partition_are_described(producer: Producer) -> None:
    producer.begun().produce(0)
    topics = [{"name": producer.topic, "partition_indexes": [0, 9]}]
    here, nowhere = sorted(
        producer.connection.call(DESCRIBE_PRODUCERS, 0, topics=topics).topics[0].partitions,
        key=lambda p: p.partition_index,
    )
    (found,) = here.active_producers
    assert (found.producer_id, found.producer_epoch, found.last_sequence) == (producer.id, producer.epoch, 0)
    assert (found.coordinator_epoch, found.current_txn_start_offset) == (-1, 0)
    assert nowhere.error_code == ErrorCode.unknown_topic_or_partition
