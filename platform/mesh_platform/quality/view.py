"""What the catalog knows of quality: a pure fold over the events of `mesh.quality-results`.

A product is failing when the latest run of an error check failed, in warning when one of lower
severity did, unknown when no check gave a verdict. Nothing that was not checked counts as passed.
Only the checks of the contract version that was checked last count: one that a newer version dropped
is history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mesh_platform.quality.model import Status

HISTORY = 30
HealthWord = Literal["healthy", "warning", "failing", "unknown", "not checked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """The latest run of one check, totals over all its windows, and its history."""

    result_id: str
    contract_version: str
    name: str
    property: str
    severity: str
    status: Status
    threshold: str
    message: str
    rows: int
    failed_rows: int | None
    window_start: datetime | None
    window_end: datetime | None
    checked_at: datetime
    history: tuple[float | None, ...]  #: share of good rows per window, oldest first; None: no verdict
    windows: Mapping[str, int]  #: how many windows passed, failed, gave no verdict


@dataclass(frozen=True, slots=True)
class ProductQuality:
    """The checks of one contract, and what they come to."""

    health: HealthWord
    reason: str
    checks: tuple[CheckView, ...] = ()


NOT_CHECKED = ProductQuality("not checked", "no quality check has run yet")


class QualityView:
    """Latest results per contract and check."""

    def __init__(self) -> None:
        self.count = 0
        self._checks: dict[str, dict[str, CheckView]] = {}
        self._versions: dict[str, str] = {}

    def apply(self, row: Mapping[str, Any]) -> None:
        """Take in one result event; one that was delivered twice in a row counts once."""
        checks = self._checks.setdefault(row["contract_id"], {})
        before = checks.get(row["check_name"])
        if before is not None and before.result_id == row["result_id"]:
            return
        self.count += 1
        self._versions[row["contract_id"]] = row["contract_version"]
        checks[row["check_name"]] = _after(before, row)

    def product(self, contract_id: str) -> ProductQuality:
        """What is known of one contract's quality."""
        version = self._versions.get(contract_id)
        known = self._checks.get(contract_id, {}).values()
        checks = tuple(check for check in known if check.contract_version == version)
        if not checks:
            return NOT_CHECKED
        failed = [c for c in checks if c.status == "failed"]
        errors = [c for c in failed if c.severity == "error"]
        unknown = [c for c in checks if c.status == "unknown"]
        if errors:
            return ProductQuality("failing", errors[0].message, checks)
        if failed:
            more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
            return ProductQuality("warning", failed[0].message + more, checks)
        if len(unknown) == len(checks):
            return ProductQuality("unknown", unknown[0].message, checks)
        passed = len(checks) - len(unknown)
        reason = f"{passed} checks passed" + (f", {len(unknown)} gave no verdict" if unknown else "")
        return ProductQuality("healthy", reason, checks)


def _after(before: CheckView | None, row: Mapping[str, Any]) -> CheckView:
    status: Status = row["status"] if row["status"] in ("passed", "failed") else "unknown"
    windows = dict(before.windows) if before else {"passed": 0, "failed": 0, "unknown": 0}
    windows[status] += 1
    history = (*(before.history if before else ()), _share(row, status))
    return CheckView(
        result_id=row["result_id"],
        contract_version=row["contract_version"],
        name=row["check_name"],
        property=row["property"] or "",
        severity=row["severity"],
        status=status,
        threshold=row["threshold"],
        message=row["message"],
        rows=row["rows"],
        failed_rows=row["failed_rows"],
        window_start=row["window_start"],
        window_end=row["window_end"],
        checked_at=row["checked_at"],
        history=history[-HISTORY:],
        windows=windows,
    )


def _share(row: Mapping[str, Any], status: Status) -> float | None:
    if status == "unknown":
        return None
    if row["failed_rows"] is None or not row["rows"]:
        return 1.0 if status == "passed" else 0.0
    return max(0.0, 1.0 - float(row["failed_rows"]) / float(row["rows"]))
