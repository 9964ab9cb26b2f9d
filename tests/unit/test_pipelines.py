"""Running a pipeline over twins: in which order things happen, and what is left when they do not."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from mesh.errors import EventError, MeshError, UnreachableError
from mesh.pipelines import Derived, Pace, Pipeline, pipeline
from tests.unit.pipeline_kit import Stage, port

ONE, OTHER = "tests.one", "tests.other"


@pytest.fixture
def stage() -> Stage:
    return Stage({ONE: port("one")}, port("made"))


def same(batch: pa.RecordBatch) -> pa.Table:
    return pa.table(batch)


def turns(stage: Stage, made: Pipeline, number: int, **options: Any) -> None:
    left = iter(range(number))
    with stage.run(made, **options) as run:
        run.run(lambda: next(left, None) is not None)


def test_the_next_records_are_taken_while_the_last_ones_are_committed(stage: Stage) -> None:
    stage.add(ONE, range(20))
    turns(stage, Pipeline("tests.made", {ONE: same}), 2)
    assert stage.broker.said[:8] == [
        "take", "begin", "commit", "take", "outcome", "begin", "commit", "outcome",
    ]  # fmt: skip


def test_a_stop_waits_for_the_transaction_at_hand(stage: Stage) -> None:
    stage.add(ONE, range(10))
    turns(stage, Pipeline("tests.made", {ONE: same}), 1)
    assert stage.broker.committed == {(stage.reads[ONE].topic, 0): 10}
    assert stage.made() == [float(number) for number in range(10)]


def test_what_was_aborted_is_read_again_with_what_was_taken_after_it(stage: Stage) -> None:
    stage.add(ONE, range(30))
    stage.broker.ends = [None, "_TIMED_OUT: too slow"]
    turns(stage, Pipeline("tests.made", {ONE: same}), 6)
    assert stage.made() == [float(number) for number in range(30)]
    figures = stage.figures
    assert (figures.consumed, figures.committed, figures.aborted) == (30, 3, 1)
    assert figures.last_error == "_TIMED_OUT: too slow"


def test_transactions_that_come_to_nothing_again_and_again_end_the_run(stage: Stage) -> None:
    stage.add(ONE, range(10))
    stage.broker.ends = ["ILLEGAL_GENERATION: moved"] * 9
    with pytest.raises(MeshError, match="3 transactions in a row") as failure:
        turns(stage, Pipeline("tests.made", {ONE: same}), 50, pace=Pace(records=10, aborts=3))
    assert (failure.value.error_code, failure.value.why) == ("MESH-K050", "ILLEGAL_GENERATION: moved")
    assert stage.made() == []


def test_an_end_that_nobody_knows_ends_the_run_without_a_word_about_it(stage: Stage) -> None:
    stage.add(ONE, range(10))
    stage.broker.ends = [UnreachableError("not known", code="MESH-K052")]
    with pytest.raises(UnreachableError):
        turns(stage, Pipeline("tests.made", {ONE: same}), 3)
    assert stage.figures.consumed == 0


def test_records_of_nobody_are_not_worked_on(stage: Stage) -> None:
    """A member that was put out of its group would be believed without a generation."""
    stage.add(ONE, range(10))
    stage.broker.member = None
    turns(stage, Pipeline("tests.made", {ONE: same}), 2)
    assert (stage.made(), "begin" in stage.broker.said) == ([], False)


def test_records_without_anything_derived_are_read_all_the_same(stage: Stage) -> None:
    stage.add(ONE, range(10))
    turns(stage, Pipeline("tests.made", {ONE: lambda batch: same(batch.slice(0, 0))}), 1)
    assert stage.broker.committed == {(stage.reads[ONE].topic, 0): 10}
    assert stage.made() == []


def test_poison_is_set_aside_in_the_same_transaction(stage: Stage) -> None:
    stage.broker.add(stage.reads[ONE].topic, [b"rubbish"])
    stage.add(ONE, range(3))
    stage.broker.ends = ["_TIMED_OUT: too slow"]
    turns(stage, Pipeline("tests.made", {ONE: same}), 3)
    letters = [sent for sent in stage.broker.sent if sent.topic == stage.reads[ONE].dead_letters]
    assert [(letter.value, letter.headers["mine"]) for letter in letters] == [(b"rubbish", b"kept")]
    assert letters[0].headers["mesh.dlq.group"] == b"tests.made"
    assert (stage.figures.dead_letters, stage.figures.published) == (1, 3)


def test_each_input_may_have_a_function_of_its_own(stage: Stage) -> None:
    stage.reads[OTHER] = port("other")
    stage.add(ONE, range(3))
    stage.add(OTHER, range(3))

    def negated(batch: pa.RecordBatch) -> pa.Table:
        return pa.table(batch.set_column(2, "celsius", pc.negate(batch["celsius"])))

    turns(stage, Pipeline("tests.made", {ONE: same, OTHER: negated}), 1)
    assert sorted(stage.made()) == [-2.0, -1.0, 0.0, 0.0, 1.0, 2.0]
    assert set(stage.broker.committed.values()) == {3}


def test_one_function_is_told_which_input_it_gets(stage: Stage) -> None:
    stage.reads[OTHER] = port("other")
    stage.add(ONE, range(3))
    stage.add(OTHER, range(5))
    seen: list[tuple[str, int]] = []

    @pipeline("tests.made", reads=(ONE, OTHER))
    def made(batch: pa.RecordBatch, *, read: str) -> pa.Table:
        seen.append((read, batch.num_rows))
        return same(batch)

    turns(stage, made, 1)
    assert sorted(seen) == [(ONE, 3), (OTHER, 5)]


def test_one_transaction_looks_things_up_in_one_state_of_a_table(stage: Stage) -> None:
    stage.reads[OTHER] = port("other")
    stage.add(ONE, range(3))
    stage.add(OTHER, range(3))
    states = iter([pa.table({"n": [number]}) for number in range(9)])
    seen: list[int] = []

    def looking(batch: pa.RecordBatch, table: pa.Table) -> pa.Table:
        seen.append(table["n"][0].as_py())
        return same(batch)

    made = Pipeline("tests.made", {ONE: looking, OTHER: looking}, ("tests.table",))
    turns(stage, made, 1, tables={"tests.table": lambda: next(states)})
    assert seen == [0, 0]


def test_a_batch_of_many_partitions_is_named_by_all_of_them(stage: Stage) -> None:
    topic = stage.reads[ONE].topic
    stage.add(ONE, range(3), 0)
    stage.add(ONE, range(5), 1)
    turns(stage, Pipeline("tests.made", {ONE: same}), 1)
    named = {sent.headers["mesh.input"] for sent in stage.broker.sent}
    assert named == {f"{topic}/0/0-2 {topic}/1/0-4".encode()}
    assert {sent.headers["mesh.input.version"] for sent in stage.broker.sent} == {b"1.0.0"}


@pytest.mark.parametrize("kind", [list, pa.array, lambda rows: pa.chunked_array([rows])])
def test_rows_may_be_named_in_any_form(stage: Stage, kind: Any) -> None:
    topic = stage.reads[ONE].topic
    stage.add(ONE, range(5))
    rows = [4, 2]
    made = Pipeline("tests.made", {ONE: lambda batch: Derived(same(batch.take(pa.array(rows))), kind(rows))})
    turns(stage, made, 1)
    assert [sent.headers["mesh.input"] for sent in stage.broker.sent] == [
        f"{topic}/0/4".encode(),
        f"{topic}/0/2".encode(),
    ]


def test_rows_that_do_not_match_the_events_are_refused(stage: Stage) -> None:
    stage.add(ONE, range(5))
    with pytest.raises(MeshError) as failure:
        turns(stage, Pipeline("tests.made", {ONE: lambda batch: Derived(same(batch), [0])}), 1)
    assert (failure.value.error_code, stage.made()) == ("MESH-K056", [])


def test_a_function_that_fails_ends_the_run_and_says_where(stage: Stage) -> None:
    stage.add(ONE, range(5))
    with pytest.raises(MeshError) as failure:
        turns(stage, Pipeline("tests.made", {ONE: lambda batch: {}["none"]}), 1)
    topic = stage.reads[ONE].topic
    assert (failure.value.error_code, failure.value.where) == ("MESH-K054", f"{topic}/0/0 to {topic}/0/4")
    assert isinstance(failure.value.__cause__, KeyError)


def test_what_cannot_be_sent_is_never_halved(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the batch may be on its way already: sent again it would be there twice."""
    stage.add(ONE, range(4))

    def refuse(*_: object) -> None:
        raise EventError("too long", code="MESH-K055")

    monkeypatch.setattr(stage.broker, "send", refuse)
    with pytest.raises(EventError):
        turns(stage, Pipeline("tests.made", {ONE: same}, (), "dead-letter"), 1)
    assert stage.broker.said.count("begin") == 1


def test_events_that_cannot_be_derived_are_found_by_halves(stage: Stage) -> None:
    stage.add(ONE, range(10))
    asked: list[int] = []

    def picky(batch: pa.RecordBatch) -> pa.Table:
        asked.append(batch.num_rows)
        if 6.0 in batch["celsius"].to_pylist():
            raise ValueError("six")
        return same(batch)

    turns(stage, Pipeline("tests.made", {ONE: picky}, (), "dead-letter"), 1)
    assert sorted(stage.made()) == [float(n) for n in range(10) if n != 6]
    (letter,) = [sent for sent in stage.broker.sent if sent.topic == stage.reads[ONE].dead_letters]
    assert letter.headers["mesh.dlq.offset"] == b"6"
    assert len(asked) <= 9


def test_a_partition_whose_schema_is_away_waits_and_the_others_go_on(stage: Stage) -> None:
    class Away:
        def schema(self, schema_id: int) -> Any:
            if schema_id == 7:
                raise UnreachableError("away", code="MESH-X003")
            return stage.reads[ONE].schema

    def known(*numbers: int) -> list[bytes]:
        return [b"\0\0\0\0\x08" + value[5:] for value in stage.values(ONE, numbers)]

    topic = stage.reads[ONE].topic
    stage.broker.add(topic, known(1), 1)
    with stage.run(Pipeline("tests.made", {ONE: same}), registry=Away()) as run:
        run.step()
        stage.add(ONE, [5], 0)
        stage.broker.add(topic, known(2), 1)
        run.step()
        run.step()
    assert (stage.made(), stage.broker.held) == ([1.0, 2.0], {(topic, 0)})
    assert stage.broker.committed == {(topic, 1): 2}
