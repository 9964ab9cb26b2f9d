"""Report: what a campaign did, what it found, and what it therefore may say."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["valid", "invalid", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be; `t` is when its cause was said, where that is known."""

    check: str
    what: str
    t: float = 0.0


@dataclass
class Report:
    """One campaign. `unknown` says by check why it could not be made: then nobody knows whether it holds."""

    seed: int
    ends: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    unknown: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How many lives were ended."""
        return sum(self.ends.values())

    @property
    def found(self) -> Counter[str]:
        """How many findings each check has."""
        return Counter(finding.check for finding in self.findings)

    @property
    def verdict(self) -> Verdict:
        """Invalid by one finding; valid only when every check was made."""
        if self.findings:
            return "invalid"
        return "unknown" if self.unknown or not self.checks else "valid"

    def verdict_of(self, check: str) -> Verdict:
        """The verdict of one check."""
        if self.found[check]:
            return "invalid"
        return "unknown" if check in self.unknown else "valid"

    def started(self, seconds: Sequence[float]) -> None:
        """How long the lives took to begin."""
        self.figures["restart, median s"] = round(statistics.median(seconds), 2)
        self.figures["restart, longest s"] = round(max(seconds), 2)

    def as_json(self) -> dict[str, Any]:
        """As one JSON document."""
        return {
            "format_version": "1.0",
            "verdict": self.verdict,
            "seed": self.seed,
            "kills": self.kills,
            "ends": dict(sorted(self.ends.items())),
            "acknowledged": self.acknowledged,
            "figures": self.figures,
            "said": dict(sorted(self.said.items())),
            "checks": {check: self.verdict_of(check) for check in self.checks},
            "unknown": self.unknown,
            "found": dict(self.found),
            "findings": [asdict(finding) for finding in self.findings],
        }

    def rows(self) -> list[tuple[str, str]]:
        """For people: name and figure."""
        rows = [("seed", f"{self.seed}"), ("kills", f"{self.kills}"), *_indented(self.ends)]
        rows += [("acknowledged", f"{self.acknowledged:,}"), *_indented(self.said)]
        rows += [(name, f"{figure:,}") for name, figure in self.figures.items()]
        rows += [("findings", f"{len(self.findings)}"), *_indented(self.found)]
        return [*rows, ("verdict", self.verdict)]


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Rows as text in two columns."""
    return "\n".join(f"{name:<46}{figure:>14}" for name, figure in rows)


def _indented(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(f"  {name}", f"{count:,}") for name, count in sorted(counts.items())]
