"""The ledger of transactions on a node of its own: decisions, fencing, and starts after a sudden end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kio.schema.errors import ErrorCode

from mesh_platform.broker.batch import read_one_batch
from mesh_platform.broker.log import Log
from mesh_platform.broker.node import Node
from mesh_platform.broker.store import Commit
from mesh_platform.broker.transaction import LAST_EPOCH, State, Transaction, TransactionRefusal
from tests.unit.broker_kit import batch

NOW = 1_700_000_000_000
NOBODY = (-1, -1)
TRANSACTIONAL = 0x10


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    started = start(tmp_path)
    started.create_topic("t", 2, {})
    yield started
    started.close()


def start(folder: Path) -> Node:
    return Node(folder / "data", "os", creates_topics=False)


def killed(node: Node) -> Node:
    """The node as it starts after its process was killed: nothing was closed or checkpointed."""
    twin = object.__new__(Node)
    os.close(node._lock)
    Node.__init__(twin, node.data, "os", creates_topics=False)
    node._lock = os.dup(0)
    return twin


def write(node: Node, held: Transaction, partition: int = 0, sequence: int = 0) -> Log:
    log = node.topics["t"].logs[partition]
    data = batch(producer=(held.producer_id, held.epoch, sequence), attributes=TRANSACTIONAL)
    log.append(data, read_one_batch(data), NOW, append_time=False, segment_bytes=1 << 20)
    return log


async def ongoing(node: Node, name: str = "x", timeout_ms: int = 60_000) -> Transaction:
    held = await node.ledger.hold(name, timeout_ms, NOBODY, NOW)
    node.ledger.add(held, NOW, places=[("t", 0), ("t", 1)])
    write(node, held, 0)
    write(node, held, 1)
    return node.ledger.transactions[name]


def refused(caught: pytest.ExceptionInfo[TransactionRefusal]) -> ErrorCode:
    return caught.value.code


async def test_who_asks_again_gets_the_next_epoch_of_the_same_producer_id(node: Node) -> None:
    first = await node.ledger.hold("x", 1000, NOBODY, NOW)
    second = await node.ledger.hold("x", 1000, NOBODY, NOW)
    assert (second.producer_id, first.epoch, second.epoch) == (first.producer_id, 0, 1)


async def test_a_holder_whose_answer_was_lost_may_ask_again(node: Node) -> None:
    first = await node.ledger.hold("x", 1000, NOBODY, NOW)
    claim = (first.producer_id, first.epoch)
    once = await node.ledger.hold("x", 1000, claim, NOW)
    again = await node.ledger.hold("x", 1000, claim, NOW)
    assert again == once


async def test_a_holder_that_was_fenced_cannot_come_back(node: Node) -> None:
    first = await node.ledger.hold("x", 1000, NOBODY, NOW)
    await node.ledger.hold("x", 1000, NOBODY, NOW)
    with pytest.raises(TransactionRefusal) as caught:
        await node.ledger.hold("x", 1000, (first.producer_id, first.epoch), NOW)
    assert refused(caught) == ErrorCode.producer_fenced


async def test_when_epochs_run_out_a_new_producer_id_is_given(node: Node) -> None:
    first = await node.ledger.hold("x", 1000, NOBODY, NOW)
    used_up = Transaction("x", first.producer_id, LAST_EPOCH, 1000)
    node.ledger.transactions["x"] = used_up
    fresh = await node.ledger.hold("x", 1000, NOBODY, NOW)
    assert (fresh.epoch, fresh.producer_id != first.producer_id) == (0, True)
    with pytest.raises(TransactionRefusal) as caught:
        node.ledger.held("x", first.producer_id, LAST_EPOCH)
    assert refused(caught) == ErrorCode.invalid_producer_id_mapping


async def test_a_commit_marks_every_partition(node: Node) -> None:
    await node.ledger.end(await ongoing(node), commits=True, now=NOW)
    ends = [(log.stable_offset, log.end_offset) for log in node.topics["t"].logs]
    assert (ends, node.ledger.transactions["x"].state) == ([(2, 2), (2, 2)], State.COMPLETE_COMMIT)


async def test_a_decision_may_be_repeated_but_not_turned(node: Node) -> None:
    await node.ledger.end(await ongoing(node), commits=False, now=NOW)
    over = node.ledger.transactions["x"]
    await node.ledger.end(over, commits=False, now=NOW)
    with pytest.raises(TransactionRefusal) as caught:
        await node.ledger.end(over, commits=True, now=NOW)
    assert refused(caught) == ErrorCode.invalid_txn_state


async def test_a_transaction_open_too_long_is_aborted_and_its_producer_fenced(node: Node) -> None:
    held = await ongoing(node, timeout_ms=1000)
    await node.ledger.keep(NOW + 1000, expires_ms=10**9)
    assert node.ledger.transactions["x"].is_ongoing
    await node.ledger.keep(NOW + 1001, expires_ms=10**9)
    assert node.ledger.transactions["x"].state is State.COMPLETE_ABORT
    with pytest.raises(TransactionRefusal) as caught:
        node.ledger.held("x", held.producer_id, held.epoch)
    assert refused(caught) == ErrorCode.producer_fenced


async def test_a_transaction_that_grows_is_no_younger_for_it(node: Node) -> None:
    held = await ongoing(node, timeout_ms=1000)
    node.ledger.add(held, NOW + 900, groups=["g"])
    await node.ledger.keep(NOW + 1001, expires_ms=10**9)
    assert node.ledger.transactions["x"].state is State.COMPLETE_ABORT


async def test_an_id_that_nobody_used_for_long_is_forgotten(node: Node) -> None:
    await node.ledger.hold("x", 1000, NOBODY, NOW)
    await node.ledger.keep(NOW + 1000, expires_ms=1000)
    assert "x" in node.ledger.transactions
    await node.ledger.keep(NOW + 1001, expires_ms=1000)
    assert ("x" in node.ledger.transactions, node.store.transactions()) == (False, {})


async def test_an_open_transaction_goes_on_after_a_kill(node: Node, tmp_path: Path) -> None:
    held = await ongoing(node)
    again = killed(node)
    await again.ledger.settle(again.logs(), NOW)
    again.ledger.check(
        read_one_batch(batch(producer=(held.producer_id, 0, 1), attributes=0x10)), ("t", 0), "x"
    )
    await again.ledger.end(again.ledger.held("x", held.producer_id, 0), commits=True, now=NOW)
    assert [log.stable_offset for log in again.topics["t"].logs] == [2, 2]
    again.close()


@pytest.mark.parametrize("commits", [True, False])
@pytest.mark.parametrize("written", [0, 1, 2])
async def test_a_kill_between_decision_and_markers_is_made_good_at_the_start(
    node: Node, commits: bool, written: int
) -> None:
    held = await ongoing(node)
    decided = node.ledger._save(held.deciding(commits=commits, now=NOW))
    for partition in range(written):
        node._write_marker(("t", partition), decided, NOW)
    again = killed(node)
    await again.ledger.settle(again.logs(), NOW)
    ends = [(log.stable_offset, log.end_offset) for log in again.topics["t"].logs]
    over = again.ledger.transactions["x"]
    assert (ends, over.commits, over.is_ending) == ([(2, 2), (2, 2)], commits, False)
    aborted = [len(log.aborted(0, 1)) for log in again.topics["t"].logs]
    assert aborted == ([0, 0] if commits else [1, 1])
    again.close()


async def test_a_marker_lost_with_a_torn_tail_is_written_again(node: Node) -> None:
    await node.ledger.end(await ongoing(node), commits=True, now=NOW)
    log = node.topics["t"].logs[0]
    (path,) = log.directory.glob("*.log")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    again = killed(node)
    assert again.topics["t"].logs[0].stable_offset == 0
    await again.ledger.settle(again.logs(), NOW)
    assert (again.topics["t"].logs[0].stable_offset, len(again.topics["t"].logs[0].aborted(0, 1))) == (2, 0)
    again.close()


async def test_events_of_a_transaction_that_nobody_knows_are_aborted_at_the_start(node: Node) -> None:
    write(node, Transaction("lost", 77, 0, 0))
    again = killed(node)
    await again.ledger.settle(again.logs(), NOW)
    log = again.topics["t"].logs[0]
    assert (log.stable_offset, [a.producer_id for a in log.aborted(0, 1)]) == (2, [77])
    again.close()


@pytest.mark.parametrize("commits", [True, False])
async def test_group_offsets_wait_for_the_transaction(node: Node, commits: bool) -> None:
    held = await ongoing(node)
    node.ledger.add(held, NOW, groups=["g"])
    node.store.save_pending_commits("x", "g", [Commit("t", 0, 7, -1, "")])
    before = (node.store.commits("g"), node.store.pending("g"))
    await node.ledger.end(node.ledger.transactions["x"], commits=commits, now=NOW)
    after = {place: commit.offset for place, commit in node.store.commits("g").items()}
    assert (before, after) == (({}, {("t", 0)}), {("t", 0): 7} if commits else {})
    assert node.store.pending("g") == set()


async def test_a_topic_deleted_in_the_middle_does_not_keep_a_transaction_from_its_end(node: Node) -> None:
    held = await ongoing(node)
    node.delete_topic(node.topics["t"])
    await node.ledger.end(held, commits=True, now=NOW)
    assert node.ledger.transactions["x"].state is State.COMPLETE_COMMIT


async def test_a_disk_that_is_full_leaves_the_decision_to_be_finished_later(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = await ongoing(node)

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Log, "append", full)
        with pytest.raises(OSError, match="No space"):
            await node.ledger.end(held, commits=True, now=NOW)
    with pytest.raises(TransactionRefusal) as caught:
        await node.ledger.end(node.ledger.transactions["x"], commits=True, now=NOW)
    assert refused(caught) == ErrorCode.concurrent_transactions
    await node.ledger.keep(NOW, expires_ms=10**9)
    assert node.ledger.transactions["x"].state is State.COMPLETE_COMMIT
    assert [log.stable_offset for log in node.topics["t"].logs] == [2, 2]
