"""Watches the broker while the platform runs: topics, offsets, groups, quality results, latest events.

One thread of its own, because the Kafka client blocks; a failing look is kept as such and never stops
the next one. What the catalog shows is always the last good look, with its time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mesh.errors import MeshError
from mesh_platform.catalog.observed import LatestEvent, Observation
from mesh_platform.quality.view import QualityView

if TYPE_CHECKING:
    from mesh.connection import Mesh

EVERY_SECONDS = 3.0
LATEST = 20
QUALITY_RESULTS = "mesh.quality-results"


class Observer:
    """The platform's eyes; `mesh` is the client's view of this same platform."""

    def __init__(self, bootstrap: str, mesh: Mesh) -> None:
        self._bootstrap = bootstrap
        self._mesh = mesh
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self.now = Observation()
        self.quality = QualityView()

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking; waits for the look that is under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(15)

    def broker_answers(self) -> bool | None:
        """Whether the last look succeeded; None before the first."""
        if self.now.failure:
            return False
        return True if self.now.seen else None

    def latest(self, contract_id: str, count: int = LATEST) -> Sequence[LatestEvent]:
        """The newest readable events of a contract's topic, newest first; raises MeshError."""
        found = []
        for batch in self._mesh.read(contract_id, last=count).batches():
            for index, row in enumerate(batch.rows()):
                message = batch.messages[index]
                _, stamp = message.timestamp()
                at = datetime.fromtimestamp(stamp / 1000, UTC) if stamp > 0 else None
                key = (message.key() or b"").decode(errors="replace")
                found.append(LatestEvent(message.partition(), message.offset(), at, key, row))
        found.sort(key=lambda e: (e.at or datetime.min.replace(tzinfo=UTC), e.offset), reverse=True)
        return found[:count]

    def _run(self) -> None:
        from mesh_platform.catalog.following import Following
        from mesh_platform.catalog.looking import Looking

        looking, results = Looking(self._bootstrap), Following(self._mesh, QUALITY_RESULTS)
        while not self._stop.is_set():
            try:
                self.now = looking.look()
                for row in results.fresh(self.now.topics):
                    self.quality.apply(row)
            except MeshError as error:
                self.now = Observation(self.now.seen, self.now.topics, self.now.groups, error.what)
            self._stop.wait(EVERY_SECONDS)
        results.close()
