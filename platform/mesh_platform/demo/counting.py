"""Counting what stands: events and keys of a product, progress of its readers, quality results."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mesh.connection import Mesh
from mesh.declaration import Declaration
from mesh.errors import MeshError
from mesh_platform.catalog.looking import Looking
from mesh_platform.catalog.observed import Observation
from mesh_platform.demo.voice import Voice
from mesh_platform.processes import ManagedProcess, tail
from mesh_platform.quality.view import QualityView

PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Events that can be read from the start to the end, and different keys among them."""

    events: int
    keys: int


def end_of(mesh: Mesh, product: str) -> Counts:
    """Read a product whole and count."""
    port = mesh.port(product)
    events, keys = 0, set[Any]()
    for batch in mesh.read(product).batches():
        events += len(batch)
        keys.update(port.keys(batch.events))
    return Counts(events, len(keys))


def derived_done(
    mesh: Mesh, products: Sequence[str], workers: Sequence[ManagedProcess[Any]]
) -> Iterator[int]:
    """How many input events the derived products have behind them, until they have all; raises MeshError."""
    looking = Looking(mesh.settings.bootstrap)
    topic = mesh.port("operations.departures").topic
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        _alive(workers)
        seen = looking.look()
        total = seen.topics[topic].events
        lags = [_lag(seen, product, topic, total) for product in products]
        yield sum(total - lag for lag in lags)
        if not any(lags):
            return
        if time.monotonic() > deadline:
            raise MeshError("the derived products do not catch up", code="MESH-M012", why=f"behind by {lags}")
        time.sleep(0.5)


def quality_of(
    mesh: Mesh, declared: Declaration, processes: Sequence[ManagedProcess[Any]], voice: Voice
) -> dict[str, Any]:
    """Wait until every stream has been looked at to its end, and tell what was found; raises MeshError."""
    _wait_for_quality(mesh, declared, processes)
    view = QualityView()
    for row in mesh.read("mesh.quality-results").rows():
        view.apply(row)
    totals = {"passed": 0, "failed": 0, "unknown": 0}
    found: dict[str, list[str]] = {}
    for contract_id in sorted(declared.contracts):
        for check in view.product(contract_id).checks:
            for status, count in check.windows.items():
                totals[status] += count
            if check.windows["failed"]:
                found.setdefault(contract_id, []).append(check.name)
    voice.good(
        f"{view.count:,} checks of windows: {totals['passed']:,} passed, {totals['failed']:,} failed,"
        f" {totals['unknown']:,} without a verdict"
    )
    for contract_id, names in found.items():
        voice.say(f"{contract_id}: {', '.join(names[:5])}{' …' if len(names) > 5 else ''}")
    return {"windows": totals, "failing": found}


def _alive(processes: Sequence[ManagedProcess[Any]]) -> None:
    for process in processes:
        if not process.running:
            raise MeshError(
                f"{process.program.name} ended by itself",
                code="MESH-M011",
                where=str(process.program.log),
                why=tail(process.program.log)[-600:],
            )


def _wait_for_quality(mesh: Mesh, declared: Declaration, processes: Sequence[ManagedProcess[Any]]) -> None:
    looking = Looking(mesh.settings.bootstrap)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        _alive(processes)
        seen = looking.look()
        behind = [
            contract.topic
            for contract in declared.contracts.values()
            if _lag(seen, "mesh.quality", contract.topic, seen.topics[contract.topic].events)
        ]
        if not behind:
            return
        if time.monotonic() > deadline:
            raise MeshError("the quality worker does not catch up", code="MESH-M013", why=", ".join(behind))
        time.sleep(0.5)


def _lag(seen: Observation, group: str, topic: str, total: int) -> int:
    """How far a group is behind; everything when it has not begun."""
    return next((g.lag for g in seen.groups if g.group == group and g.topic == topic), total)
