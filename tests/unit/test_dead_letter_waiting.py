"""Dead letters are waited for now and then, and no position passes one that is not acknowledged."""

from __future__ import annotations

import pytest

from mesh.errors import EventError, SchemaError
from tests.unit.subscription_kit import Case


class Waiting(Case):
    """Every event of schema 2 is poison; acknowledgements fail as often as is said."""

    def __init__(self, records: dict[int, list[int]], failures: int = 0) -> None:
        super().__init__(records, {2: SchemaError("it is no schema")})
        self.flushed, self._failures = 0, failures
        self.buried.flush = self._flush  # type: ignore[method-assign]

    def _flush(self) -> None:
        self.flushed += 1
        if self.flushed <= self._failures:
            raise EventError("1 event was not acknowledged")


def test_reading_goes_on_while_dead_letters_are_under_way() -> None:
    case = Waiting({0: [1, 2, 1]})
    for _ in range(3):
        case.subscription.poll(most=1, wait_seconds=0)
    assert (case.flushed, case.topic.committed) == (0, {0: 1})


def test_they_are_waited_for_before_their_positions_are_settled() -> None:
    case = Waiting({0: [1, 2, 1]})
    case.go_on(2.0)
    assert (case.read, case.flushed, case.topic.committed) == (["0/0", "0/2"], 1, {0: 3})


def test_a_commit_waits_for_them() -> None:
    case = Waiting({0: [2]})
    case.subscription.poll(wait_seconds=0)
    case.subscription.commit()
    assert (case.flushed, case.topic.committed) == (1, {0: 1})


def test_what_is_not_acknowledged_comes_again_with_all_that_was_read_since() -> None:
    case = Waiting({0: [1, 2, 1], 1: [1]}, failures=1)
    with pytest.raises(EventError, match="not acknowledged"):
        case.go_on(2.0)
    assert case.topic.committed.get(0, 0) <= 1
    case.go_on(2.0)
    assert case.read == ["0/0", "0/2", "1/0", "0/2"]
    assert (len(case.buried.values), case.topic.committed) == (2, {0: 3, 1: 1})


def test_rows_given_back_do_not_bring_acknowledged_poison_again() -> None:
    case = Waiting({0: [2, 1, 1]})
    next(case.subscription.rows())
    case.subscription.poll(wait_seconds=0)
    assert (case.flushed, len(case.buried.values), case.topic.committed) == (1, 1, {0: 2})
