"""What five million events do to the memory of the process that publishes, reads and asks: nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

from mesh import limits
from tests.bench.measuring import Figure
from tests.bench.orders import EVENTS
from tests.bench.scene import PRODUCT, Scene

MILLION = 1_000_000
MILLIONS = 5
SUMS = f"SELECT currency, count(*) AS events, sum(amount) AS amount FROM {PRODUCT} GROUP BY currency"


def memory(scene: Scene) -> list[Figure]:
    """Megabytes more after five million events than after one, publishing and reading; and while SQL sums."""
    grown = [_grown("published", _published(scene)), _grown("read in batches", _read(scene))]
    return [*grown, _asked(scene)]


def _grown(what: str, found: list[float]) -> Figure:
    growth = found[-1] - found[0]
    name = f"growth from 1 to {MILLIONS} million events {what}"
    return Figure("memory", name, growth, "MB", tuple(found), target="≤ 16 MB")


def _published(scene: Scene) -> list[float]:
    found = []
    with scene.mesh.publisher(PRODUCT) as publish:
        for sent in range(EVENTS, MILLIONS * MILLION + 1, EVENTS):
            publish.many(scene.arrow)
            publish.flush()
            if sent % MILLION == 0:
                found.append(_resident())
    return found


def _read(scene: Scene) -> list[float]:
    found: list[float] = []
    taken = 0
    for batch in scene.mesh.read(PRODUCT).batches():
        taken += len(batch)
        if taken >= (len(found) + 1) * MILLION:
            found.append(_resident())
        if len(found) == MILLIONS:
            break
    return found


def _asked(scene: Scene) -> Figure:
    before = _resident()
    Path("/proc/self/clear_refs").write_text("5")  # the most counts from here
    began = time.perf_counter()
    answer = scene.mesh.sql(SUMS, seconds=600.0)
    seconds = time.perf_counter() - began
    status = Path("/proc/self/status").read_text().splitlines()
    most = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))
    events = sum(row["events"] for row in answer.rows())
    name = f"most above before while SQL sums {events / MILLION:.1f} million events in {seconds:.0f} s"
    return Figure(
        "memory", name, most - before, "MB", (most, before), target=f"≤ {limits.QUERY_MEGABYTES} MB"
    )


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
