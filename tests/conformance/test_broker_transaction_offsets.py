"""Group offsets in a transaction, one request at a time: when they wait, count, or go, on both brokers."""

from __future__ import annotations

from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from tests.conformance.raw_transactions import DELETE_GROUPS, OFFSET_DELETE, Producer

OK, WAITS = ErrorCode.none, ErrorCode.unstable_offset_commit
STRANGER, STALE = ErrorCode.unknown_member_id, ErrorCode.illegal_generation


@pytest.fixture
def committer(producer: Producer) -> Producer:
    """One whose transaction has its group in it, and nothing else."""
    assert producer.ready().add_offsets() == OK
    return producer


# Waiting


def test_while_one_waits_the_former_offset_is_given_only_to_who_does_not_mind(committer: Producer) -> None:
    committer.commit_plainly(9)
    committer.commit_offset(5)
    assert committer.position(stable=True) == (WAITS, -1)
    assert committer.position(stable=False) == (OK, 9)


@pytest.mark.parametrize(("committed", "offset"), [(True, 5), (False, 9)])
def test_the_former_offset_counts_until_the_transaction_commits(
    committer: Producer, committed: bool, offset: int
) -> None:
    committer.commit_plainly(9)
    committer.commit_offset(5)
    committer.end(committed)
    assert committer.settled_position() == offset


def test_the_last_of_several_offsets_in_a_transaction_counts(committer: Producer) -> None:
    for offset in (6, 4):
        committer.commit_offset(offset)
    committer.end(True)
    assert committer.settled_position() == 4


def test_a_plain_commit_that_came_later_is_not_undone(committer: Producer) -> None:
    """What counts is when an offset was said, not when its transaction ended."""
    committer.commit_offset(5)
    committer.commit_plainly(9)
    assert committer.position(stable=True) == (WAITS, -1)
    committer.end(True)
    assert committer.settled_position() == 9


def test_two_transactions_may_wait_for_one_group(committer: Producer) -> None:
    other = committer.twin().ready()
    other.group = committer.group
    other.add_offsets()
    committer.commit_offset(5)
    other.commit_offset(7)
    committer.end(True)
    assert committer.position(stable=True) == (WAITS, -1)
    other.end(True)
    assert committer.settled_position() == 7


def test_an_offset_is_waiting_only_for_its_own_partition(committer: Producer) -> None:
    committer.commit_offset(5, partition=1)
    assert committer.position(stable=True) == (OK, -1)


def test_the_offsets_of_who_is_replaced_go(committer: Producer) -> None:
    committer.commit_offset(5)
    committer.init()
    assert committer.settled_position() == -1


# Deleting


def test_what_waits_goes_with_its_group(committer: Producer) -> None:
    committer.commit_offset(5)
    answer = committer.connection.call(DELETE_GROUPS, 1, groups_names=[committer.group])
    assert (answer.results[0].error_code, committer.position(stable=True)) == (OK, (OK, -1))
    assert (committer.end(True), committer.settled_position()) == (OK, -1)


def test_what_waits_goes_with_a_deleted_offset(committer: Producer) -> None:
    committer.commit_plainly(2)
    committer.commit_offset(5)
    topics = [{"name": committer.topic, "partitions": [{"partition_index": 0}]}]
    answer = committer.connection.call(OFFSET_DELETE, 0, group_id=committer.group, topics=topics)
    assert (answer.error_code, committer.position(stable=True)) == (OK, (OK, -1))
    assert (committer.end(True), committer.settled_position()) == (OK, -1)


# Who may commit


@pytest.mark.parametrize("version", range(5))
def test_a_group_must_be_in_the_transaction_first(producer: Producer, version: int) -> None:
    """Version 4 is the first whose clients know TRANSACTION_ABORTABLE."""
    code = ErrorCode.transaction_abortable if version >= 4 else ErrorCode.invalid_txn_state
    assert producer.ready().commit_offset(1, version) == code


def test_after_the_end_the_group_must_be_added_again(committer: Producer) -> None:
    committer.commit_offset(1)
    committer.end(True)
    committer.settled_position()
    assert committer.commit_offset(2) == ErrorCode.invalid_txn_state


@pytest.mark.parametrize("version", range(5))
@pytest.mark.parametrize("other", [{"transactional_id": "nobody"}, {"producer_id": 10**12}])
def test_a_stranger_commits_nothing(producer: Producer, version: int, other: dict[str, Any]) -> None:
    producer.ready().add_offsets()
    assert producer.commit_offset(1, version, **other) == ErrorCode.invalid_producer_id_mapping


def test_a_member_commits_in_its_generation(committer: Producer) -> None:
    assert committer.commit_offset(1, **committer.join()) == OK


@pytest.mark.parametrize("version", range(5))
def test_who_says_nothing_of_members_commits_beside_them(committer: Producer, version: int) -> None:
    """Producers older than KIP-447 know no members: their transactional id fences instead."""
    committer.join()
    assert committer.commit_offset(1, version) == OK


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"generation_id": 0}, STALE),
        ({"generation_id": 2}, STALE),
        ({"generation_id": -1}, STALE),
        ({"member_id": "another"}, STRANGER),
        ({"member_id": "another", "generation_id": 0}, STRANGER),
        ({"member_id": ""}, STRANGER),
        ({"group_instance_id": "not there"}, STRANGER),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_what_is_said_of_a_member_must_be_so(
    committer: Producer, said: dict[str, Any], code: ErrorCode
) -> None:
    member = committer.join()
    assert member["generation_id"] == 1
    assert committer.commit_offset(1, **member | said) == code


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, OK),
        ({"member_id": "another"}, ErrorCode.fenced_instance_id),
        ({"group_instance_id": "two"}, STRANGER),
        ({"generation_id": 7}, STALE),
    ],
    ids=["right", "member", "instance", "generation"],
)
def test_a_static_member_is_known_by_its_instance(
    committer: Producer, said: dict[str, Any], code: ErrorCode
) -> None:
    member = committer.join("one")
    assert committer.commit_offset(1, **member | said) == code


def test_a_group_that_is_not_there_has_no_generation(committer: Producer) -> None:
    assert committer.commit_offset(1, member_id="m", generation_id=3) == STALE
    assert committer.commit_offset(1, member_id="m") == OK


def test_a_group_needs_a_name_when_it_commits(committer: Producer) -> None:
    assert committer.add_offsets(group_id="") == OK
    assert committer.commit_offset(1, group_id="") == ErrorCode.invalid_group_id
