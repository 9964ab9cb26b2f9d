"""What five million events do to the memory of the process that publishes and reads them: nothing."""

from __future__ import annotations

import os
from pathlib import Path

from tests.bench.measuring import Figure
from tests.bench.orders import EVENTS
from tests.bench.scene import PRODUCT, Scene

MILLION = 1_000_000
MILLIONS = 5


def memory(scene: Scene) -> list[Figure]:
    """Megabytes more after five million events than after one, publishing and reading."""
    return [_grown("published", _published(scene)), _grown("read in batches", _read(scene))]


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


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
