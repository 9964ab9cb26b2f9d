"""ODCS operators over measured numbers, at and around their limits."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.contract.model import OPERATORS
from mesh_platform.quality.operators import holds, limit, number, share

CASES: list[tuple[str, Any, list[float], list[float]]] = [
    ("mustBe", 2, [2], [1, 3]),
    ("mustNotBe", 2, [1, 3], [2]),
    ("mustBeGreaterThan", 2, [2.1, 3], [1, 2]),
    ("mustBeGreaterOrEqualTo", 2, [2, 3], [1.9]),
    ("mustBeLessThan", 2, [1.9], [2, 3]),
    ("mustBeLessOrEqualTo", 0.1, [0, 100 * 1 / 1_000], [0.11]),
    ("mustBeBetween", [1, 3], [1, 2, 3], [0.9, 3.1]),
    ("mustNotBeBetween", [1, 3], [0.9, 3.1], [1, 2, 3]),
]


@pytest.mark.parametrize(("operator", "threshold", "good", "bad"), CASES)
def test_an_operator_holds_exactly_within_its_limit(
    operator: str, threshold: Any, good: list[float], bad: list[float]
) -> None:
    assert all(holds(operator, value, threshold) for value in good)
    assert not any(holds(operator, value, threshold) for value in bad)


def test_every_operator_of_the_standard_is_known() -> None:
    assert {case[0] for case in CASES} == set(OPERATORS)


@pytest.mark.parametrize(
    ("operator", "threshold", "unit", "words"),
    [
        ("mustBeLessOrEqualTo", 1, "percent", "≤ 1 %"),
        ("mustBeBetween", [3_000, 4_000], "rows", "between 3,000 and 4,000"),
        ("mustNotBeBetween", [0.5, 1], "percent", "not between 0.5 and 1 %"),
    ],
)
def test_a_limit_reads_as_people_write_it(operator: str, threshold: Any, unit: str, words: str) -> None:
    assert limit(operator, threshold, unit) == words


def test_numbers_have_thousands_and_no_empty_decimals() -> None:
    assert [number(value) for value in (328_521, 2.0, 0.5)] == ["328,521", "2", "0.5"]


@pytest.mark.parametrize(
    ("count", "rows", "words"),
    [
        (2_512, 328_521, "0.76 %"),
        (1, 2, "50 %"),
        (1, 1_000_000, "< 0.01 %"),
        (999_999, 1_000_000, "> 99.99 %"),
        (5, 5, "100 %"),
        (0, 5, "0 %"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(count: int, rows: int, words: str) -> None:
    assert share(count, rows) == words
