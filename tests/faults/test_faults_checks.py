"""The verifier sees every kind of fault in a history made for it, and nothing in one that is whole."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_platform.chaos import sinks
from mesh_platform.chaos.checks import CHECKS, unfinished, verify
from mesh_platform.chaos.final import Effect, Final, Record, Sink
from mesh_platform.chaos.history import Line, Outcome

LOG, TXN, TABLE, SLOT = ("log", 0), ("txn", 0), ("table", 0), ("slots", 3)
GROUP = ("copiers", "slots", 3)


def line(f: str, outcome: Outcome, place: tuple[str, int] = LOG, proc: str = "w", **said: Any) -> Line:
    return Line(proc=proc, type=outcome, f=f, topic=place[0], partition=place[1], **said)


def did(f: str, outcome: Outcome, place: tuple[str, int] = LOG, **said: Any) -> list[Line]:
    """An action and its outcome."""
    before = said | ({"off": -1} if f in ("send", "put") else {})
    return [line(f, "invoke", place, **before), line(f, outcome, place, **said)]


def sent(*values: str) -> list[Line]:
    return [said for offset, value in enumerate(values) for said in did("send", "ok", v=value, off=offset)]


def polled(*offsets: int, proc: str = "reader") -> list[Line]:
    return [line("poll", "ok", proc=proc, off=offset, v=f"s-{offset}") for offset in offsets]


def transaction(outcome: Outcome, *values: str) -> list[Line]:
    return did("txn", outcome, SLOT, v="t.1", vs=values, off=1, k="copiers")


def held(*values: str | None, at: tuple[str, int] = LOG, start: int = 0) -> dict[Any, list[Record]]:
    return {at: [Record(offset, None, value) for offset, value in enumerate(values, start)]}


WHOLE = [
    *sent("s-0", "s-1", "s-2"),
    *polled(0, 1, 2),
    *transaction("ok", "t.1-0", "t.1-1"),
    *did("put", "ok", TABLE, k="k", v="k-1", off=0),
    *did("put", "ok", TABLE, k="k", v="k-2", off=1),
    *did("commit", "ok", LOG, k="readers", off=2),
    *did("create", "ok", ("made", -1)),
]
LEFT = Final(
    records=held("s-0", "s-1", "s-2") | held("t.1-0", "t.1-1", at=TXN) | {TABLE: [Record(1, "k", "k-2")]},
    commits={GROUP: 1, ("readers", "log", 0): 2},
    topics=frozenset({"made"}),
)


def test_a_whole_history_has_no_findings() -> None:
    assert verify(WHOLE, LEFT) == []


def test_an_unknown_outcome_may_be_either() -> None:
    unknown = [*did("send", "info", v="s-0"), *transaction("info", "t.1-0", "t.1-1")]
    there = Final(held("s-0") | held("t.1-0", "t.1-1", at=TXN), {GROUP: 1})
    assert (verify(unknown, Final()), verify(unknown, there)) == ([], [])


def handled(*effects: tuple[str, str], by: str = "event", on: dict[Any, list[Record]] | None = None) -> Final:
    """Effects, as cause and value, of a handler of what is on the log."""
    found = Sink("log", by, [Effect(cause, "k", value) for cause, value in effects])
    return Final(records=on or {LOG: named("s-0", "s-1")}, sinks={"handler": found})


def named(*values: str) -> list[Record]:
    """Records whose events have ids: the value without its producer."""
    return [Record(offset, "k", value, value.rpartition("-")[2]) for offset, value in enumerate(values)]


def test_a_repeat_under_the_same_id_is_no_duplicate_and_has_no_effect_of_its_own() -> None:
    tried = did("send", "info", v="s-0") + did("send", "ok", v="s-0") + did("send", "ok", v="s-1")
    final = handled(("0", "s-0"), ("1", "s-1"), on={LOG: named("s-0", "s-0", "s-1")})
    assert verify(tried, final, EVERY) == []


def test_a_pipeline_has_an_effect_of_each_record_repeats_too() -> None:
    tried = did("send", "info", v="s-0") + did("send", "ok", v="s-0")
    on = {LOG: named("s-0", "s-0")}
    assert verify(tried, handled(("0/0", "s-0"), ("0/1", "s-0"), by="record", on=on), EVERY) == []


EVERY = (*CHECKS, unfinished, *sinks.CHECKS)
FAULTS: dict[str, tuple[str, list[Line], Final]] = {
    "acknowledged, then passed unread": (
        "lost_write",
        sent("s-0", "s-1", "s-2"),
        Final(held("s-0") | {LOG: [Record(0, None, "s-0"), Record(2, None, "s-2")]}),
    ),
    "acknowledged, then gone": ("lost", sent("s-0", "s-1"), Final(held("s-0"))),
    "a committed transaction is gone": ("lost", transaction("ok", "t.1-0"), Final()),
    "appended again after a lost answer": ("duplicated", sent("s-0"), Final(held("s-0", "s-0"))),
    "an offset given out twice": (
        "inconsistent_offsets",
        [*did("send", "ok", v="s-0", off=0), *did("send", "ok", v="s-1", off=0)],
        Final(held("s-1")),
    ),
    "another value than was polled there": (
        "inconsistent_offsets",
        [*sent("s-0", "s-1"), line("poll", "ok", off=0, v="s-1")],
        Final(held("s-0", "s-1")),
    ),
    "never sent": ("unexpected", [], Final(held("s-9"))),
    "aborted and yet there": ("aborted_read", transaction("fail", "t.1-0"), Final(held("t.1-0", at=TXN))),
    "aborted and yet polled": (
        "aborted_read",
        [*transaction("fail", "t.1-0"), line("poll", "ok", TXN, off=0, v="t.1-0")],
        Final(),
    ),
    "one of two values": (
        "torn",
        transaction("ok", "t.1-0", "t.1-1"),
        Final(held("t.1-0", at=TXN), {GROUP: 1}),
    ),
    "an unknown transaction in part": (
        "torn",
        transaction("info", "t.1-0", "t.1-1"),
        Final(held("t.1-1", at=TXN), {GROUP: 1}),
    ),
    "values without their offset": ("torn", transaction("ok", "t.1-0"), Final(held("t.1-0", at=TXN))),
    "an aborted offset": ("torn", transaction("fail", "t.1-0"), Final(commits={GROUP: 1})),
    "two events swapped": ("inverted_order", sent("s-0", "s-1"), Final(held("s-1", "s-0"))),
    "a consumer goes back": (
        "nonmonotonic_poll",
        [*sent("s-0", "s-1"), *polled(0, 1, 0)],
        Final(held("s-0", "s-1")),
    ),
    "a consumer jumps": (
        "poll_skip",
        [*sent("s-0", "s-1", "s-2"), *polled(0, 2)],
        Final(held("s-0", "s-1", "s-2")),
    ),
    "a position is lost": ("lost_commit", did("commit", "ok", k="g", off=7), Final()),
    "a position goes back": (
        "lost_commit",
        [*did("commit", "ok", k="g", off=7), *did("commit", "ok", k="g", off=8)],
        Final(commits={("g", "log", 0): 7}),
    ),
    "an older value of a key": (
        "stale_key",
        [*did("put", "ok", TABLE, k="k", v="k-1", off=0), *did("put", "ok", TABLE, k="k", v="k-2", off=1)],
        Final({TABLE: [Record(0, "k", "k-1")]}),
    ),
    "a key is gone": ("stale_key", did("put", "ok", TABLE, k="k", v="k-1", off=0), Final()),
    "a deleted key is back": (
        "stale_key",
        [*did("put", "ok", TABLE, k="k", v="k-1", off=0), *did("put", "ok", TABLE, k="k", v=None, off=1)],
        Final({TABLE: [Record(0, "k", "k-1")]}),
    ),
    "a topic is gone": ("lost_topic", did("create", "ok", ("made", -1)), Final()),
    "a key in two partitions": (
        "split_key",
        sent("s-0", "s-1"),
        Final({LOG: [Record(0, "k", "s-0")], ("log", 1): [Record(0, "k", "s-1")]}),
    ),
    "sent again under another id": (
        "duplicated",
        did("send", "info", v="s-0") + did("send", "ok", v="s-0"),
        Final({LOG: [Record(0, "k", "s-0", "one"), Record(1, "k", "s-0", "two")]}),
    ),
    "one of many events is lost": ("lost", did("send", "ok", vs=("s-0", "s-1")), Final(held("s-0"))),
    "a consumer jumps within a batch": (
        "poll_skip",
        [*sent("s-0", "s-1", "s-2"), line("poll", "ok", offs=(0, 2), vs=("s-0", "s-2"))],
        Final(held("s-0", "s-1", "s-2")),
    ),
    "nobody learned what came of it": ("unfinished", did("send", "info", v="s-0"), Final()),
    "a producer is given up": ("unfinished", [line("fatal", "info", v="fenced")], Final()),
    "an event handled twice": (
        "effect_twice",
        sent("s-0", "s-1"),
        handled(("0", "s-0"), ("1", "s-1"), ("1", "s-1")),
    ),
    "an event never handled": ("effect_missing", sent("s-0", "s-1"), handled(("0", "s-0"))),
    "what is not there was handled": ("effect_unexpected", [], handled(("9", "s-9"))),
    "effects in another order": ("effect_order", sent("s-0", "s-1"), handled(("1", "s-1"), ("0", "s-0"))),
    "a deleted topic is back": (
        "lost_topic",
        [*did("create", "ok", ("made", -1)), *did("delete", "ok", ("made", -1))],
        Final(topics=frozenset({"made"})),
    ),
}


@pytest.mark.parametrize(("check", "history", "final"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_by_the_check_named_after_it(check: str, history: list[Line], final: Final) -> None:
    assert check in {finding.check for finding in verify(history, final, EVERY)}


def test_every_check_has_been_seen_to_find_something() -> None:
    assert {check for check, _, _ in FAULTS.values()} == {check.__name__ for check in EVERY}


def test_a_consumer_that_is_assigned_anew_may_go_back() -> None:
    again = line("assign", "ok", proc="reader")
    history = [*sent("s-0", "s-1"), *polled(0, 1), again, *polled(0, 1)]
    assert verify(history, Final(held("s-0", "s-1"))) == []


def test_a_tombstone_may_have_been_cleaned_away() -> None:
    assert verify(did("put", "ok", TABLE, k="k", v=None, off=0), Final()) == []
