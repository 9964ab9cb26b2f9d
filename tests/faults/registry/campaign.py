"""A campaign: actors, kills, a reading before and one after a last kill, and every check on all of it.

Starts begin with a snapshot when there is one. The last start has none: what it holds is the log, replayed.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.checks import Finding
from tests.faults.kills import Kill
from tests.faults.registry import history, load
from tests.faults.registry.checks import verify
from tests.faults.registry.final import read_final
from tests.faults.registry.nemesis import Log, platforms

_FILES = "*.history"


@dataclass
class Report:
    """What a campaign did and found."""

    seed: int
    ends: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    restart_median: float = 0.0
    restart_max: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    @property
    def found(self) -> Counter[str]:
        return Counter(finding.check for finding in self.findings)

    @property
    def acknowledged(self) -> int:
        return sum(count for name, count in self.said.items() if name.endswith(" ok"))

    def as_json(self) -> dict[str, Any]:
        said = {
            name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()
        }
        return said | {"found": dict(self.found), "findings": [asdict(finding) for finding in self.findings]}


def campaign(
    folder: Path,
    *,
    seed: int,
    kills: Sequence[Kill],
    actors: tuple[str, ...] = tuple(load.ACTORS),
    nodes: int = 1,
    log: Log | None = None,
    broken: Sequence[str] = (),
) -> Report:
    """Run one; histories stay in the folder. Raises RuntimeError when a process or an actor fails."""
    report = Report(seed)
    with platforms(folder, nodes, first=kills[0], log=log, broken=broken) as running:
        ports, token = [platform.port for platform in running], running[0].token
        with load.working(folder, ports, token, seed, actors) as work:
            for at, kill in enumerate(kills):
                platform = running[at % nodes]
                lives = at == 0 or platform.start(kill)
                report.ends[platform.end(kill) if lives else str(kill.moment)] += 1
                if nodes > 1:
                    platform.spawn()  # the next one that dies shall not be the only one there is
                if work.failures:
                    break
            for platform in running:
                platform.start()
        told = history.read(sorted(folder.glob(_FILES)))
        ids = {line.id for line in told if line.type == "ok" and line.f in ("register", "get")}
        before = read_final(ports, token, ids, folder)
        for platform in running:
            platform.kill()
            platform.forget_snapshot()
            platform.start()
        after = read_final(ports, token, ids, folder)
        if work.failures and not broken:
            raise RuntimeError("; ".join(work.failures))
    report.said.update(f"{line.f} {line.type}" for line in told)
    starts = [seconds for platform in running for seconds in platform.starts]
    report.restart_median, report.restart_max = statistics.median(starts), max(starts)
    report.findings = verify(told, [*before, *after])
    return report
