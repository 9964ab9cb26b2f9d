"""What a batch leaves behind: one transaction, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from mesh.errors import EventError
from mesh.figures import Figures
from mesh.streams.outlet import Outlet, TakenBack
from mesh.streams.records import Record
from mesh.streams.state import Changes

CHANGES = Changes({"table/a": {"count": 1}, "window/x": None, "position/0": 7}, [{"name": "a", "count": 1}])
POISON = Record(
    SimpleNamespace(
        topic="t.v1",
        partition=0,
        offset=6,
        key=b"k",
        value=b"\x00",
        headers=(),
        timestamp=1,
        timestamp_type=0,
    )
)


@dataclass
class Transactions:
    """A sender whose transactions end as the test says."""

    ends: str | None = None
    done: list[str] = field(default_factory=list)
    sent: dict[str, list[tuple[Any, Any]]] = field(default_factory=dict)

    def send(self, topic: str, keys: Any, values: Any, headers: Any, times_ms: Any) -> None:
        self.sent.setdefault(topic, []).extend(zip(keys, values, strict=True))

    def begin(self) -> None:
        self.done.append("begin")

    def commit(self, positions: Mapping[Any, int], member: bytes) -> None:
        self.done.append("commit")

    def outcome(self) -> str | None:
        return self.ends

    def abort(self) -> None:
        self.done.append("abort")

    def flush(self) -> None:
        self.done.append("flush")

    def close(self) -> None:
        self.done.append("close")


class Refusing:
    """A publisher whose contract the stream breaks."""

    def many(self, events: object) -> None:
        raise EventError("the event breaks a rule", code="MESH-E020")


class Sending:
    """A publisher that takes everything."""

    def __init__(self, sender: Transactions) -> None:
        self.sender = sender

    def many(self, events: list[Any]) -> None:
        self.sender.send("events", [None] * len(events), events, [], [])


def outlet(transactions: Transactions, publisher: Any = Sending) -> Outlet:
    made = Outlet(lambda: transactions, publisher, "t.v1.dlq", "changelog", "tests.sums", Figures())
    made.take_over()
    return made


def test_events_entries_and_dead_letters_are_sent_within_one_transaction() -> None:
    transactions = Transactions()
    outlet(transactions).write(CHANGES, [(POISON, EventError("unreadable", code="MESH-E011"))])

    assert transactions.done == ["begin", "commit"]
    assert transactions.sent["t.v1.dlq"] == [(b"k", b"\x00")]
    assert transactions.sent["events"] == [(None, {"name": "a", "count": 1})]
    kept = {json.loads(key): value and json.loads(value) for key, value in transactions.sent["changelog"]}
    assert kept == CHANGES.entries


def test_only_what_is_committed_is_told_in_figures() -> None:
    transactions = Transactions()
    made = outlet(transactions)
    made.write(CHANGES, [(POISON, EventError("unreadable", code="MESH-E011"))])
    transactions.ends = "the broker said no"
    with pytest.raises(TakenBack, match="the broker said no"):
        made.write(CHANGES, [])

    figures = made.figures
    assert (figures.published, figures.dead_letters, figures.committed, figures.aborted) == (1, 1, 1, 1)


def test_an_event_that_breaks_the_contract_takes_everything_back() -> None:
    transactions = Transactions()

    with pytest.raises(EventError, match="MESH-E020"):
        outlet(transactions, lambda _: Refusing()).write(CHANGES, [])

    assert transactions.done == ["begin", "abort"]


def test_nothing_is_written_before_somebody_took_over() -> None:
    made = Outlet(Transactions, Sending, "t.v1.dlq", "changelog", "tests.sums", Figures())  # type: ignore[arg-type]

    with pytest.raises(TakenBack):
        made.write(CHANGES, [])


def test_who_takes_over_again_lets_go_of_what_it_had() -> None:
    transactions = Transactions()
    outlet(transactions).take_over()

    assert transactions.done == ["close"]
