"""What counts as handled, what comes again, and how a subscription ends: on a topic in memory."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from itertools import islice

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from mesh.positions import Gap
from tests.unit.subscription_kit import AWAY, Case


class Event(BaseModel):
    code: str


class Short(BaseModel):
    """A model that wants no third event."""

    code: str

    @field_validator("code")
    @classmethod
    def not_the_third(cls, code: str) -> str:
        if code.endswith("/2"):
            raise ValueError("no third event")
        return code


def codes(rows: Iterator[dict[str, str]], count: int) -> list[str]:
    """So many codes, asking for no more than that."""
    return [row["code"] for row in islice(rows, count)]


def handled(case: Case) -> int:
    """How far partition 0 was committed."""
    return case.topic.committed.get(0, 0)


def test_a_batch_is_handled_when_the_next_is_asked_for() -> None:
    case = Case({0: [1, 1, 1]})
    assert case.subscription.poll() is not None
    assert handled(case) == 0
    assert case.subscription.poll(wait_seconds=0) is None
    assert handled(case) == 3


def test_a_batch_in_hand_is_handled_when_the_block_ends_well() -> None:
    case = Case({0: [1, 1, 1]})
    with case.subscription as subscription:
        subscription.poll()
    assert (handled(case), case.topic.closed) == (3, True)


def test_a_batch_in_hand_is_not_handled_when_the_block_fails() -> None:
    case = Case({0: [1, 1, 1]})
    with pytest.raises(ZeroDivisionError), case.subscription as subscription:
        assert 1 / (len(subscription.poll() or ()) - 3)
    assert (handled(case), case.topic.closed) == (0, True)


def test_rows_that_nobody_asked_for_are_not_handled() -> None:
    case = Case({0: [1] * 10})
    with case.subscription as subscription:
        assert codes(subscription.rows(), 4) == ["0/0", "0/1", "0/2", "0/3"]
    assert handled(case) == 4


def test_rows_that_nobody_asked_for_come_with_the_next_iteration() -> None:
    case = Case({0: [1] * 4, 1: [1] * 2})
    for row in case.subscription:
        if row["code"] == "0/1":
            break
    assert codes(case.subscription.rows(), 3) == ["0/2", "0/3", "1/0"]


def test_a_row_that_failed_comes_again() -> None:
    case = Case({0: [1] * 4})
    with pytest.raises(ZeroDivisionError), case.subscription as subscription:
        assert [1 / (row["code"] != "0/2") for row in subscription]
    assert handled(case) == 0


def test_a_batch_that_was_given_back_comes_again() -> None:
    case = Case({0: [1] * 3})
    batch = case.subscription.poll()
    assert batch is not None
    case.subscription.give_back(batch)
    again = case.subscription.poll()
    assert again is not None
    assert again.rows() == batch.rows()
    assert handled(case) == 0


def test_models_come_one_by_one_and_one_that_is_none_leaves_those_before_it() -> None:
    case = Case({0: [1] * 4})
    models = case.subscription.models(Short)
    assert [next(models).code, next(models).code] == ["0/0", "0/1"]
    with pytest.raises(ValidationError, match="no third event"):
        next(models)


def test_models_are_instances_of_the_callers_class() -> None:
    case = Case({0: [1] * 2})
    assert next(case.subscription.models(Event)) == Event(code="0/0")


def test_stopping_ends_after_what_is_in_hand_and_commits_it() -> None:
    case = Case({0: [1] * 4})
    seen = []
    for row in case.subscription:
        seen.append(row["code"])
        case.subscription.stop()
    assert seen == ["0/0", "0/1", "0/2", "0/3"]
    assert handled(case) == 4


def test_sigterm_means_stop_inside_the_block_and_what_it_meant_before_outside() -> None:
    case, other = Case({0: [1] * 2}), Case({0: [1]})
    with case.subscription as subscription, other.subscription:
        next(iter(subscription))
        os.kill(os.getpid(), signal.SIGTERM)
    assert (subscription.stopped, other.subscription.stopped, handled(case)) == (True, True, 1)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_handler_of_the_program_for_sigterm_stays() -> None:
    asked: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    try:
        with Case({0: []}).subscription as subscription:
            os.kill(os.getpid(), signal.SIGTERM)
        assert (asked, subscription.stopped) == ([signal.SIGTERM], False)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_what_is_paused_waits_and_goes_on_where_it_was() -> None:
    case = Case({0: [1] * 2, 1: [1]})
    case.subscription.pause(0)
    assert codes(case.subscription.rows(), 1) == ["1/0"]
    case.subscription.resume()
    assert codes(case.subscription.rows(), 2) == ["0/0", "0/1"]


def test_seeking_moves_what_is_named_and_keeps_what_was_not_given_out() -> None:
    case = Case({0: [1] * 3, 1: [1] * 2})
    for row in case.subscription:
        if row["code"] == "0/2":
            break
    case.subscription.seek({0: 1})
    assert codes(case.subscription.rows(), 4) == ["0/1", "0/2", "1/0", "1/1"]


def test_lag_is_what_is_not_handled() -> None:
    case = Case({0: [1] * 3, 1: [1]})
    assert case.subscription.lag() == {0: 3, 1: 1}
    case.go_on(1)
    assert case.subscription.lag() == {0: 0, 1: 0}


def test_f29_a_gap_is_told_once_as_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    case = Case({0: [1]})
    case.topic.gaps.append(Gap("t", 0, 5, 9))
    with caplog.at_level(logging.WARNING):
        case.go_on(2)
    assert [record.message for record in caplog.records] == ["group group: t/0: offsets 5 to 8 are gone"]
    assert case.subscription.gaps == (Gap("t", 0, 5, 9),)


def test_f14_a_registry_that_is_gone_after_the_first_events_is_not_missed_for_ten_minutes() -> None:
    case = Case({0: [1, 2], 1: [2]})
    case.go_on(1)
    case.registry.trouble = dict.fromkeys(range(10), AWAY)
    for number in range(600):
        case.topic.records[number % 2].append(1 + number % 2)
        case.go_on(1)
    assert len(case.read) == 603
    assert (len(case.registry.asked), case.buried.values, case.subscription.waiting) == (2, [], {})
