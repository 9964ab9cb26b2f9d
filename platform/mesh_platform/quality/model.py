"""Checks over windows of events and what came of them, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mesh.errors import Severity
from mesh.rules.model import Rule

Status = Literal["passed", "failed", "unknown"]
Origin = Literal["quality rule", "record rule"]
Unit = Literal["rows", "percent"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation in Great Expectations' own words."""

    type: str
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCheck:
    """One rule of a contract, ready to be measured over a window.

    The measure is the number of rows that the expectations do not expect (their sum: no row is counted
    by two of them), or what a table expectation observes; `operator` compares it with `threshold`.
    Without an operator the expectation's own verdict counts.
    """

    name: str
    property: str | None
    metric: str
    origin: Origin
    severity: Severity
    sentence: str  #: what the rule asks, in words
    expectations: tuple[Expectation, ...] = ()
    derived: Rule | None = None  #: a record rule whose verdict per row is the column that is looked at
    query: str = ""  #: what an SQL rule asks of the window; its answer is the measure
    operator: str = ""
    threshold: Any = None
    unit: Unit = "rows"
    dimension: str = ""
    description: str = ""
    obstacle: str = ""  #: why it cannot be measured here; empty when it can


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What one check came to over one window."""

    name: str
    property: str | None
    metric: str
    origin: Origin
    dimension: str
    severity: Severity
    status: Status
    measured: float | None  #: in the unit of the threshold
    failed_rows: int | None  #: None where rows are not judged one by one, or nothing was measured
    rows: int
    threshold: str
    message: str
