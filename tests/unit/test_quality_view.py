"""The fold over quality results: what a product's page and card say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mesh_platform.quality.view import HISTORY, QualityView

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def row(status: str = "passed", number: int = 0, **other: Any) -> dict[str, Any]:
    return {
        "result_id": f"{number:032x}",
        "contract_id": "ops.flights.v1",
        "contract_version": "1.0.0",
        "check_name": "present",
        "property": "tail",
        "severity": "error",
        "status": status,
        "threshold": "no nulls in tail",
        "message": f"window {number} {status}",
        "rows": 100,
        "failed_rows": {"passed": 0, "failed": 25, "unknown": None}[status],
        "window_start": BEGAN,
        "window_end": BEGAN,
        "checked_at": BEGAN + timedelta(seconds=number),
        **other,
    }


def folded(*rows: dict[str, Any]) -> QualityView:
    view = QualityView()
    for one in rows:
        view.apply(one)
    return view


def test_a_product_without_results_is_not_checked() -> None:
    assert folded().product("ops.flights.v1").health == "not checked"


@pytest.mark.parametrize(
    ("statuses", "health"),
    [
        ([("passed", "error")], "healthy"),
        ([("passed", "error"), ("failed", "error"), ("failed", "warning")], "failing"),
        ([("passed", "error"), ("failed", "warning")], "warning"),
        ([("unknown", "error")], "unknown"),
        ([("passed", "error"), ("unknown", "warning")], "healthy"),
    ],
)
def test_the_worst_latest_result_is_the_products_health(statuses: list[tuple[str, str]], health: str) -> None:
    rows = [row(s, n, severity=severity, check_name=f"c{n}") for n, (s, severity) in enumerate(statuses)]

    assert folded(*rows).product("ops.flights.v1").health == health


def test_only_the_latest_window_decides() -> None:
    assert folded(row("failed", 1), row("passed", 2)).product("ops.flights.v1").health == "healthy"


def test_checks_without_a_verdict_are_told_beside_those_that_passed() -> None:
    view = folded(row("passed", 1, check_name="a"), row("unknown", 2, check_name="b"))

    assert view.product("ops.flights.v1").reason == "1 checks passed, 1 gave no verdict"


def test_history_holds_the_share_of_good_rows_and_none_where_there_was_no_verdict() -> None:
    view = folded(row("passed", 1), row("failed", 2), row("unknown", 3))

    (check,) = view.product("ops.flights.v1").checks
    assert check.history == (1.0, 0.75, None)
    assert check.windows == {"passed": 1, "failed": 1, "unknown": 1}


def test_a_failure_that_counts_no_rows_is_wholly_bad() -> None:
    (check,) = folded(row("failed", 1, failed_rows=None)).product("ops.flights.v1").checks

    assert check.history == (0.0,)


def test_history_is_bounded_and_totals_are_not() -> None:
    view = folded(*(row("passed", n) for n in range(HISTORY + 12)))

    (check,) = view.product("ops.flights.v1").checks
    assert len(check.history) == HISTORY
    assert check.windows["passed"] == HISTORY + 12


def test_a_result_delivered_twice_counts_once() -> None:
    view = folded(row("failed", 1), row("failed", 1))

    assert view.count == 1
    assert view.product("ops.flights.v1").checks[0].windows["failed"] == 1


def test_a_check_that_a_new_version_dropped_no_longer_decides() -> None:
    old = row("failed", 1, check_name="dropped")
    new = row("passed", 2, contract_version="1.1.0")

    quality = folded(old, new).product("ops.flights.v1")

    assert (quality.health, [check.name for check in quality.checks]) == ("healthy", ["present"])


def test_products_do_not_mix() -> None:
    view = folded(row("failed", 1), row("passed", 2, contract_id="ops.gates.v1"))

    assert view.product("ops.gates.v1").health == "healthy"
