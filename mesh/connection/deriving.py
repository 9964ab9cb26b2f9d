"""Connected pipelines: what takes events in and brings events out, exactly once."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mesh.connection.looking import Looking

if TYPE_CHECKING:
    from mesh.pipelines import Figures, Pace, Pipeline, PipelineRun


class Deriving(Looking):
    """What derives events from others."""

    def derive(
        self,
        made: Pipeline,
        *,
        name: str | None = None,
        pace: Pace | None = None,
        figures: Figures | None = None,
    ) -> PipelineRun:
        """Run a pipeline exactly once, as one member of its product's group.

        Under a `name` of its own it comes back to its partitions at once and ends what it left open; without
        one, what a killed run left open is ended by time.
        """
        from mesh.adapters.kafka_inputs import GroupInputs
        from mesh.adapters.kafka_transactions import TransactionalSender
        from mesh.decoding import Decoder
        from mesh.event import EventIds
        from mesh.pipelines.intake import Input, Intake
        from mesh.pipelines.run import PipelineRun
        from mesh.publishing import Publisher

        where, port = self.settings.bootstrap, self.port(made.product)
        schema_id = self.schema_key(port)
        ids = EventIds(os.urandom(8))
        inputs = [
            Input(read, self.port(read), Decoder(self.port(read), self.registry)) for read in made.reads
        ]
        topics = [read.port.topic for read in inputs]
        with ExitStack() as opened:
            tables = {table: self.lookup(table) for table in made.tables}
            for table in tables.values():
                opened.callback(table.close)
            # First of all: whatever this name left open is over before its positions are asked for.
            sender = TransactionalSender(where, name or f"{made.product}.{os.urandom(8).hex()}")
            opened.callback(sender.close)
            receiver = GroupInputs(where, topics, made.product, name=name, leaving=lambda: run.settle())
            run = PipelineRun(
                made,
                Intake(inputs, receiver),
                {read: table.current for read, table in tables.items()},
                sender,
                lambda marked: Publisher(port, schema_id, marked, ids, lambda: datetime.now(UTC)),
                pace,
                figures,
                opened.pop_all().close,
            )
        return run
