"""The verifier sees every kind of fault in a history made for it, and nothing in one that is whole."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_platform.chaos.history import Outcome
from tests.faults.registry.checks import CHECKS, verify
from tests.faults.registry.final import Final, Held
from tests.faults.registry.history import Line
from tests.faults.registry.schemas import grown, key, readable, respelled, rival

ONE, TWO = key(grown(1)), key(grown(2))
LEFT, RIGHT = key(rival(None, 1)), key(rival(None, 2))


def line(f: str, outcome: Outcome, **said: Any) -> Line:
    return Line(proc="c", type=outcome, f=f, **said)


def did(f: str, outcome: Outcome, subject: str = "s", **said: Any) -> list[Line]:
    asked = {name: value for name, value in said.items() if name not in ("code", "id", "version")}
    return [line(f, "invoke", subject=subject, **asked), line(f, outcome, subject=subject, **said)]


def took(v: str, schema_id: int, version: int, subject: str = "s") -> list[Line]:
    return did("register", "ok", subject, v=v, id=schema_id, version=version)


def left(*held: tuple[str, int, int, str], approved: tuple[int, ...] = (), deleted: bool = False) -> Final:
    return Final(
        {(subject, version): Held(number, v, deleted) for subject, version, number, v in held},
        {number: v for _, _, number, v in held},
        frozenset(approved),
        {"schemas": held},
    )


WHOLE = [
    *took(ONE, 1, 1),
    *took(TWO, 2, 2),
    *took(ONE, 1, 1, "t"),
    *did("get", "ok", id=1, v=ONE),
    *did("register", "fail", "r", v=LEFT, code=409),
    *did("declare", "ok", "owned", v=ONE),
    *took(ONE, 1, 1, "owned"),
    *did("approve", "ok", "owned", v=TWO, id=4),
    *took(TWO, 2, 2, "owned"),
    *took(ONE, 1, 1, "gone"),
    *did("hide", "ok", "gone", version=1),
]
HELD = [("s", 1, 1, ONE), ("s", 2, 2, TWO), ("t", 1, 1, ONE), ("r", 1, 3, RIGHT)]
HELD += [("owned", 1, 1, ONE), ("owned", 2, 2, TWO)]


def test_a_whole_history_has_no_findings() -> None:
    assert verify(WHOLE, [left(*HELD, approved=(4,)), left(*HELD, approved=(4,))]) == []


def test_an_unknown_outcome_may_be_either() -> None:
    unknown = did("register", "info", v=ONE)
    assert (verify(unknown, [Final()]), verify(unknown, [left(("s", 1, 1, ONE))])) == ([], [])


FAULTS: dict[str, tuple[str, list[Line], list[Final]]] = {
    "one id for two schemas": ("id-reuse", took(ONE, 1, 1) + took(TWO, 1, 2), []),
    "an id that means something else later": ("id-reuse", took(ONE, 1, 1), [left(("t", 1, 1, TWO))]),
    "two ids for one schema": ("split-id", took(ONE, 1, 1) + took(ONE, 2, 1, "t"), []),
    "a given id is not known": ("id-loss", [*took(ONE, 1, 1), *did("get", "fail", id=1)[:1],
                                             line("get", "fail", id=1, code=40403)], []),
    "a given id is not known at the end": ("id-loss", took(ONE, 1, 1), [Final()]),
    "a version is gone": ("version-loss", took(ONE, 1, 1), [Final(ids={1: ONE})]),
    "what is said to be registered again is deleted": (
        "version-loss",
        took(ONE, 1, 1) + did("hide", "ok", version=1) + took(ONE, 1, 1),
        [left(("s", 1, 1, ONE), deleted=True)],
    ),
    "a version went to two": ("two-winners", took(ONE, 1, 1) + took(TWO, 2, 1), []),
    "rivals are both live": ("incompatible-pair", took(LEFT, 1, 1) + took(RIGHT, 2, 2), []),
    "rivals are both live in the end": ("incompatible-pair", [],
                                        [left(("s", 1, 1, LEFT), ("s", 2, 2, RIGHT))]),
    "a schema is in before anyone approved": (
        "unapproved-live",
        [*did("declare", "ok", v=ONE), *took(TWO, 1, 1), *did("approve", "ok", v=TWO)],
        [],
    ),
    "what was deleted is live": (
        "undeleted", took(ONE, 1, 1) + did("hide", "ok", version=1), [left(("s", 1, 1, ONE))]),
    "what was deleted is not known to be": (
        "undeleted",
        took(ONE, 1, 1) + did("hide", "ok", version=1) + did("remove", "fail", version=1, code=40407), []),
    "all rivals are refused": ("no-winner", did("register", "fail", v=LEFT, code=409), [Final()]),
    "an approval is forgotten": ("lost-decision", did("approve", "ok", v=ONE, id=3), [Final()]),
    "an answer of 500": ("server-error", did("register", "info", v=ONE, code=500), []),
    "another state after the restart": ("divergence", [], [left(("s", 1, 1, ONE)), left()]),
}  # fmt: skip


@pytest.mark.parametrize(("check", "history", "finals"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_by_the_check_named_after_it(
    check: str, history: list[Line], finals: list[Final]
) -> None:
    assert check in {finding.check for finding in verify(history, finals)}


def test_every_check_has_been_seen_to_find_something() -> None:
    assert {check for check, _, _ in FAULTS.values()} == set(CHECKS)


def test_the_schemas_that_are_made_are_what_they_say() -> None:
    import random

    assert all(readable(grown(a), grown(b)) for a in range(4) for b in range(4))
    assert not readable(rival(None, 1), rival(None, 2))
    assert readable(rival(rival(None, 1), 2), rival(None, 1))
    assert key(respelled(grown(3), random.Random(1))) == key(grown(3))
