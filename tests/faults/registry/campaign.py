"""A campaign: actors, kills, a reading before and one after a last kill, and every check on all of it.

Starts begin with a snapshot when there is one. The last start has none: what it holds is the log, replayed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mesh_platform.chaos.history import read
from mesh_platform.chaos.kills import Kill
from mesh_platform.chaos.report import Report
from tests.faults.registry import load
from tests.faults.registry.checks import CHECKS, verify
from tests.faults.registry.final import read_final
from tests.faults.registry.history import Line
from tests.faults.registry.nemesis import Log, platforms

_FILES = "*.history"


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
        told = read(sorted(folder.glob(_FILES)), Line)
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
    report.acknowledged = sum(count for name, count in report.said.items() if name.endswith(" ok"))
    report.started([seconds for platform in running for seconds in platform.starts])
    report.checks = tuple(CHECKS)
    report.findings = verify(told, [*before, *after])
    return report
