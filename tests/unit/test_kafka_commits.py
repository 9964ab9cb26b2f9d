"""Positions on their way to the group: how often they are written down, and what becomes of a refusal."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from mesh.adapters import kafka_commits
from mesh.adapters.kafka_commits import PAUSE_SECONDS, Commits


class Group:
    """A consumer as far as commits go: it notes them, and says nothing until it is asked to."""

    def __init__(self) -> None:
        self.member = "me"
        self.asked: list[dict[int, int]] = []

    def memberid(self) -> str:
        return self.member

    def commit(self, *, offsets: list[Any], asynchronous: bool) -> None:
        assert asynchronous
        self.asked.append({one.partition: one.offset for one in offsets})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(kafka_commits.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def group() -> Group:
    return Group()


@pytest.fixture
def commits(group: Group, clock: list[float]) -> Commits:
    return Commits(group, "topic")  # type: ignore[arg-type]


def done(commits: Commits, **offsets: int) -> None:
    commits.ended(None, [TopicPartition("topic", int(p[1:]), offset) for p, offset in offsets.items()])


def handled(commits: Commits, offset: int) -> None:
    commits.add({0: offset})
    commits.begin()


def test_what_is_handled_is_written_down_ten_times_a_second_at_most(
    commits: Commits, group: Group, clock: list[float]
) -> None:
    for offset in range(1, 101):  # a hundred events in a second
        handled(commits, offset)
        if group.asked:
            done(commits, p0=group.asked[-1][0])
        clock[0] += 0.01
    assert 9 <= len(group.asked) <= 11


def test_the_next_commit_takes_everything_that_came_since(
    commits: Commits, group: Group, clock: list[float]
) -> None:
    handled(commits, 5)
    done(commits, p0=5)
    handled(commits, 6)
    handled(commits, 9)
    clock[0] += PAUSE_SECONDS
    commits.begin()
    assert group.asked == [{0: 5}, {0: 9}]


def test_one_commit_is_under_way_at_a_time(commits: Commits, group: Group, clock: list[float]) -> None:
    handled(commits, 5)
    clock[0] += PAUSE_SECONDS
    handled(commits, 6)
    assert group.asked == [{0: 5}]
    done(commits, p0=5)
    commits.begin()
    assert group.asked == [{0: 5}, {0: 6}]


def test_nothing_is_asked_when_nothing_is_open(commits: Commits, group: Group, clock: list[float]) -> None:
    handled(commits, 5)
    done(commits, p0=5)
    clock[0] += PAUSE_SECONDS
    commits.begin()
    assert group.asked == [{0: 5}]


def test_what_was_refused_is_written_down_again(commits: Commits, group: Group, clock: list[float]) -> None:
    handled(commits, 5)
    commits.ended(KafkaError(KafkaError.REBALANCE_IN_PROGRESS), [])
    clock[0] += PAUSE_SECONDS
    commits.begin()
    assert (group.asked, commits.refused) == ([{0: 5}, {0: 5}], 1)


def test_who_is_no_member_writes_nothing_down(commits: Commits, group: Group) -> None:
    group.member = ""
    handled(commits, 5)
    assert (group.asked, commits.refused) == ([], 1)
