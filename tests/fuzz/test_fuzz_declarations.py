"""Flaws of declarations, made by chance: each is found, on its line, in time, and nothing else happens."""

from __future__ import annotations

from tests.fuzz.declarations import run
from tests.fuzz.violations import sample

VIOLATIONS = 100


def test_a_violation_of_a_standards_schema_is_found_on_its_line() -> None:
    made = sample(VIOLATIONS, seed=11)
    assert len(made) == VIOLATIONS
    assert [problem for violation in made if (problem := violation.problem())] == []


def test_spoiled_declarations_are_diagnosed_in_time_and_bounded_memory() -> None:
    found = run(300, seed=5)
    assert found["wrong"] == []
    assert sum(found["told"].values()) == 300
    assert {f"{kind} refused" for kind in ("contract", "product", "schema")} <= found["told"].keys()
    assert {f"{kind} accepted" for kind in ("contract", "product", "schema")} <= found["told"].keys()
