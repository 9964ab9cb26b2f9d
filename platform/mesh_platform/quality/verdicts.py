"""From what was measured to a verdict and one sentence about it."""

from __future__ import annotations

from collections.abc import Sequence

from mesh_platform.quality.expectations import Finding
from mesh_platform.quality.model import CheckResult, Status, WindowCheck
from mesh_platform.quality.operators import holds, limit, number, share

_WORDS = {
    "nullValues": "are null",
    "missingValues": "are missing",
    "invalidValues": "are invalid",
    "duplicateValues": "are repeated",
}


def judge(check: WindowCheck, findings: Sequence[Finding], rows: int) -> CheckResult:
    """The result of a check over a window of `rows` events; unknown when anything it needs is."""
    reason = check.obstacle or next((f.reason for f in findings if f.reason), "")
    if reason or not findings:
        return unknown(check, rows, reason or "there is nothing to measure")
    counts = [finding.unexpected for finding in findings if finding.unexpected is not None]
    if len(counts) == len(findings):
        failed = sum(counts)
        measured = 100 * failed / rows if check.unit == "percent" else float(failed)
        return _result(check, rows, _status(check, measured, findings), measured, failed)
    observed = findings[0].observed
    if observed is None and check.operator:
        return unknown(check, rows, "nothing measured a number")
    return _result(check, rows, _status(check, observed or 0.0, findings), observed, None)


def unknown(check: WindowCheck, rows: int, reason: str) -> CheckResult:
    """The result of a check that could not be carried out."""
    return _made(check, rows, "unknown", None, None, f"No verdict on {check.sentence}: {reason}.")


def _status(check: WindowCheck, measured: float, findings: Sequence[Finding]) -> Status:
    if check.operator:
        return "passed" if holds(check.operator, measured, check.threshold) else "failed"
    return "passed" if all(finding.success for finding in findings) else "failed"


def _result(
    check: WindowCheck, rows: int, status: Status, measured: float | None, failed: int | None
) -> CheckResult:
    return _made(check, rows, status, measured, failed, _message(check, rows, measured, failed))


def _message(check: WindowCheck, rows: int, measured: float | None, failed: int | None) -> str:
    if failed is None:
        if check.metric == "rowCount":
            return f"{rows:,} events, required {limit(check.operator, check.threshold, check.unit)}."
        return f"{check.sentence}: observed {'no number' if measured is None else number(measured)}."
    part = f" ({share(failed, rows)})" if failed else ""
    head = f"{failed:,} of {rows:,} {_subject(check)} {_WORDS.get(check.metric, 'do not fit')}{part}"
    if not check.operator:
        return f"{head}, expected {check.sentence.removeprefix(f'{_subject(check)}: ')}."
    if check.origin == "record rule":
        return f"{head}, required: {check.sentence}."
    none = check.operator == "mustBe" and check.threshold == 0
    return f"{head}, allowed {'none' if none else limit(check.operator, check.threshold, check.unit)}."


def _subject(check: WindowCheck) -> str:
    if check.property is not None:
        return check.property
    columns = check.expectations[0].kwargs.get("column_list")
    return " + ".join(columns) if columns else str(check.expectations[0].kwargs.get("column", "events"))


def _made(
    check: WindowCheck, rows: int, status: Status, measured: float | None, failed: int | None, message: str
) -> CheckResult:
    return CheckResult(
        name=check.name,
        property=check.property,
        metric=check.metric,
        origin=check.origin,
        dimension=check.dimension,
        severity=check.severity,
        status=status,
        measured=measured,
        failed_rows=failed,
        rows=rows,
        threshold=check.sentence,
        message=message,
    )
