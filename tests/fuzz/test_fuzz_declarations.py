"""Flaws of declarations, made by chance: each is found, on its line, in time, and nothing else happens."""

from __future__ import annotations

from tests.fuzz.violations import sample

VIOLATIONS = 100


def test_a_violation_of_a_standards_schema_is_found_on_its_line() -> None:
    made = sample(VIOLATIONS, seed=11)
    assert len(made) == VIOLATIONS
    assert [problem for violation in made if (problem := violation.problem())] == []
