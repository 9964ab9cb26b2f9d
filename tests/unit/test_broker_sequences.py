"""Idempotent producers: what a partition takes, repeats and refuses."""

from __future__ import annotations

import pytest

from mesh_platform.broker.batch import MAX_SEQUENCE, Batch, read_one_batch
from mesh_platform.broker.sequences import FencedEpoch, OutOfOrder, Sequences
from tests.unit.broker_kit import Item, batch


def sent(sequence: int, *, epoch: int = 0, count: int = 1, producer: int = 1) -> Batch:
    return read_one_batch(batch([Item()] * count, producer=(producer, epoch, sequence)))


def remembering(*batches: Batch) -> Sequences:
    sequences = Sequences()
    for offset, one in enumerate(batches):
        sequences.note(one, offset * 10, 0)
    return sequences


def test_the_next_sequence_is_new() -> None:
    assert remembering(sent(0, count=3)).check(sent(3)) is None


def test_a_repeat_is_answered_with_its_first_offset() -> None:
    assert remembering(sent(0), sent(1)).check(sent(1)) == 10


def test_the_fifth_last_batch_is_still_a_repeat() -> None:
    assert remembering(*(sent(n) for n in range(5))).check(sent(0)) == 0


def test_an_older_batch_is_out_of_order() -> None:
    with pytest.raises(OutOfOrder):
        remembering(*(sent(n) for n in range(6))).check(sent(0))


def test_a_gap_is_out_of_order() -> None:
    with pytest.raises(OutOfOrder):
        remembering(sent(0)).check(sent(2))


def test_an_unknown_producer_may_begin_anywhere() -> None:
    assert Sequences().check(sent(42)) is None


def test_a_new_epoch_begins_at_zero() -> None:
    assert remembering(sent(0)).check(sent(0, epoch=1)) is None


def test_a_new_epoch_that_does_not_begin_at_zero_is_out_of_order() -> None:
    with pytest.raises(OutOfOrder):
        remembering(sent(0)).check(sent(1, epoch=1))


def test_an_old_epoch_is_fenced() -> None:
    with pytest.raises(FencedEpoch):
        remembering(sent(0, epoch=1)).check(sent(1, epoch=0))


def test_sequences_wrap_to_zero() -> None:
    assert remembering(sent(MAX_SEQUENCE)).check(sent(0)) is None


def test_producers_do_not_know_each_other() -> None:
    assert remembering(sent(0, producer=1)).check(sent(0, producer=2)) is None


def test_a_dump_loads_as_it_was() -> None:
    loaded = Sequences.load(remembering(sent(0), sent(1)).dump())
    assert loaded.check(sent(0)) == 0


def test_a_producer_that_fell_silent_is_forgotten() -> None:
    sequences = remembering(sent(0))
    sequences.expire(before=1)
    assert sequences.check(sent(7)) is None
