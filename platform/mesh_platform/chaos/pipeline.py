"""The pipeline under test: one settlement of each order, exactly once, whoever of its workers dies when.

| moment | when |
| --- | --- |
| deriving, derived | around the function of the pipeline |
| onwards | up to a quarter of a second later: while it sends, while it commits |
"""

from __future__ import annotations

import threading
from contextlib import suppress

import pyarrow as pa

from mesh.connection import Mesh, connect
from mesh.errors import MeshError
from mesh.pipelines import Derived, Pace, Pipeline
from mesh_platform.chaos import world
from mesh_platform.chaos.actor import Actor
from mesh_platform.chaos.countdown import die

MOMENTS = {"deriving": 5, "derived": 5, "onwards": 5}
_ONWARDS_SECONDS = 0.25


def derive(actor: Actor) -> None:
    """Derive until the end comes; the class of the pipeline decides how well."""
    from mesh_platform.chaos.broken import PIPELINES

    with connect() as mesh:
        PIPELINES.get(actor.broken, Settling)(actor, mesh).run()


class Settling:
    """A worker of the pipeline; it has a name, and comes back under it."""

    def __init__(self, actor: Actor, mesh: Mesh) -> None:
        self.actor, self.mesh = actor, mesh
        self.reads, self.makes = world.orders(actor.run), world.settlements(actor.run)

    def run(self) -> None:
        """Run the pipeline; where the broker is away for long, run it anew."""
        self.actor.begin()
        made = Pipeline(self.makes, {self.reads: self.settled})
        while not self.actor.ended.is_set():
            with (
                suppress(MeshError),
                self.mesh.derive(made, name=f"{self.makes}.{self.actor.name}", pace=Pace()) as run,
            ):
                run.run(lambda: not self.actor.ended.is_set())

    def settled(self, orders: pa.RecordBatch) -> Derived:
        """One settlement per order."""
        countdown = self.actor.countdown
        countdown.pass_by("deriving")
        if countdown.moment("onwards"):
            threading.Timer(self.actor.dice.uniform(0, _ONWARDS_SECONDS), die).start()
        found = Derived(pa.table(orders.columns, names=orders.schema.names), range(orders.num_rows))
        countdown.pass_by("derived")
        return found
