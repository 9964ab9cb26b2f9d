"""Results of window checks as events of the platform's own product, `mesh.quality-results`.

Near the results of Bitol's observability draft (OORS): target, status, measure, threshold, message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mesh.contract.model import Contract
from mesh_platform.quality.model import CheckResult
from mesh_platform.quality.view import QualityView
from mesh_platform.quality.windows import Window

if TYPE_CHECKING:
    from mesh.connection import Mesh

PRODUCT = "mesh.quality-results"
CONTRACT_ID = "mesh.quality-results.v1"
READABLE = "events are readable"


def rows_of(
    contract: Contract, results: Sequence[CheckResult], window: Window, checked_at: datetime
) -> Iterator[dict[str, Any]]:
    """One event per result; the same window checked again gives the same `result_id`."""
    version = str(contract.version)
    for result in results:
        place = f"{contract.id} {version} {result.name} {window.first_offsets} {window.last_offsets}"
        yield {
            "result_id": hashlib.sha256(place.encode()).hexdigest()[:32],
            "contract_id": contract.id,
            "contract_version": version,
            "check_name": result.name,
            "property": result.property,
            "metric": result.metric,
            "origin": result.origin,
            "dimension": result.dimension or None,
            "severity": result.severity,
            "status": result.status,
            "measured": result.measured,
            "failed_rows": result.failed_rows,
            "rows": result.rows,
            "threshold": result.threshold,
            "message": result.message,
            "window_first_offsets": window.first_offsets,
            "window_last_offsets": window.last_offsets,
            "window_start": window.start,
            "window_end": window.end,
            "checked_at": checked_at,
        }


def readability(window: Window) -> CheckResult:
    """Whether all new events could be read with the contract's schema; the others no other check sees."""
    bad, taken = window.unreadable, window.taken
    return CheckResult(
        name=READABLE,
        property=None,
        metric="invalidValues",
        origin="record rule",
        dimension="conformity",
        severity="error",
        status="failed" if bad else "passed",
        measured=float(bad),
        failed_rows=bad,
        rows=taken,
        threshold="every event can be read with the contract's schema",
        message=f"{bad:,} of {taken:,} new events cannot be read, allowed none.",
    )


def read_results(mesh: Mesh) -> QualityView:
    """All results that are retained, folded: latest per contract and check, history, totals."""
    view = QualityView()
    for row in mesh.read(PRODUCT).rows():
        view.apply(row)
    return view
