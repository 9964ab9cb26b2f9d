"""A contract's checks made ready once, and run over window after window.

A failure of one check never hides another: what Great Expectations cannot build, compute or finish makes
that check unknown, with the reason. Patterns are matched by RE2 in linear time, never by Python's `re`
(Great Expectations' own way), which a hostile pattern can keep busy for years.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mesh.contract.model import Contract
from mesh.rules.model import Rule
from mesh_platform.quality.compilation import compile_checks
from mesh_platform.quality.expectations import REASON_LENGTH, Finding, Prepared, measure
from mesh_platform.quality.frames import Window, frame_of
from mesh_platform.quality.model import CheckResult, Expectation, WindowCheck
from mesh_platform.quality.record_checks import verdict_column
from mesh_platform.quality.runnable import columns_of, runnable
from mesh_platform.quality.sandbox import ask
from mesh_platform.quality.verdicts import judge, unknown


class Suite:
    """The window checks of one contract. Building it imports Great Expectations (2 to 3 seconds, once)."""

    def __init__(self, contract: Contract, checks: Sequence[WindowCheck] | None = None) -> None:
        self.contract = contract
        self.checks = compile_checks(contract) if checks is None else tuple(checks)
        self._prepared: dict[str, Prepared] = {}
        self._refused: dict[str, str] = {}
        self._needs: dict[str, tuple[str, ...]] = {}
        self._verdicts: dict[str, Rule] = {}
        for check in self.checks:
            if check.derived is not None:
                self._verdicts[verdict_column(check.derived)] = check.derived
            for expectation in check.expectations:
                self._prepare(expectation)

    def run(self, window: Window) -> tuple[CheckResult, ...]:
        """One result per check, in their order; never raises for what is in the window."""
        rows = window.num_rows
        if not rows:
            return self.unknown(0, "the window is empty")
        findings = self._measured(window)
        asked = {check.query: self._asked(check.query, window) for check in self.checks if check.query}
        return tuple(
            judge(c, [asked[c.query]] if c.query else [findings[_key(e)] for e in c.expectations], rows)
            for c in self.checks
        )

    def unknown(self, rows: int, reason: str) -> tuple[CheckResult, ...]:
        """The results of a window that could not be measured at all."""
        return tuple(unknown(check, rows, check.obstacle or reason) for check in self.checks)

    def _asked(self, query: str, window: Window) -> Finding:
        try:
            answer = ask(query, self.contract.schema_name, window)
        except Exception as error:
            return Finding(reason=f"{error or type(error).__name__}"[:REASON_LENGTH])
        return Finding(success=bool(answer), observed=float(answer))

    def _prepare(self, expectation: Expectation) -> None:
        key = _key(expectation)
        if key in self._prepared or key in self._refused:
            return
        try:
            made = runnable(self.contract, expectation)
            self._prepared[key] = Prepared(made.expectation)
        except ValueError as error:
            self._refused[key] = str(error)
            return
        self._verdicts |= made.verdicts
        self._needs[key] = columns_of(made.expectation)

    def _measured(self, window: Window) -> Mapping[str, Finding]:
        findings = {key: Finding(reason=reason) for key, reason in self._refused.items()}
        try:
            named = dict.fromkeys(name for needs in self._needs.values() for name in needs)
            frame = frame_of(window, [name for name in named if name not in self._verdicts], self._verdicts)
        except Exception as error:
            reason = f"the window could not be laid out: {error}"[:REASON_LENGTH]
            return {key: Finding(reason=reason) for key in self._needs} | findings
        ready: dict[str, Prepared] = {}
        for key, prepared in self._prepared.items():
            reason = next((frame.missing[n] for n in self._needs[key] if n in frame.missing), "")
            if reason:
                findings[key] = Finding(reason=reason)
            else:
                ready[key] = prepared
        if ready:
            findings.update(zip(ready, _together_or_alone(frame.data, list(ready.values())), strict=True))
        return findings


def _together_or_alone(frame: Any, prepared: Sequence[Prepared]) -> list[Finding]:
    try:
        return measure(frame, prepared)
    except Exception:
        # One of them brings the whole run down: alone, only that one is lost.
        return [_alone(frame, one) for one in prepared]


def _alone(frame: Any, prepared: Prepared) -> Finding:
    try:
        return measure(frame, [prepared])[0]
    except Exception as error:
        return Finding(reason=f"Great Expectations failed: {error or type(error).__name__}"[:REASON_LENGTH])


def _key(expectation: Expectation) -> str:
    """Equal expectations are measured once."""
    return json.dumps([expectation.type, expectation.kwargs], sort_keys=True, default=str)
