"""A product's output port made ready for events: its contract compiled into codec, rules and names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from mesh import naming
from mesh.codec import Codec, EngineChoice, codec_for
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract
from mesh.contract.record_rules import record_rules
from mesh.keys import record_keys
from mesh.plain import PlainEvents, plain_events
from mesh.rules.guard import Guard, compile_guard
from mesh.schema import AvroSchema


@dataclass(frozen=True)
class OutputPort:
    """What publisher and subscription need to know of a contract, compiled once."""

    contract: Contract
    engine: EngineChoice = "auto"

    @property
    def topic(self) -> str:
        """The port's topic."""
        return self.contract.topic

    @property
    def subject(self) -> str:
        """The registry subject of its values."""
        return naming.value_subject(self.topic)

    @property
    def dead_letters(self) -> str:
        """Its dead-letter topic."""
        return naming.dead_letter_topic(self.topic)

    @cached_property
    def schema(self) -> AvroSchema:
        """The Avro schema that the contract compiles to."""
        return avro_schema(self.contract)

    @cached_property
    def codec(self) -> Codec:
        """Events in the contract's own schema, to and from Arrow."""
        return codec_for(self.schema, self.engine)

    @cached_property
    def guard(self) -> Guard:
        """The contract's record rules, over batches."""
        return compile_guard(record_rules(self.contract), self.codec.arrow_schema)

    @cached_property
    def plain(self) -> PlainEvents | None:
        """All of it for a few events in hand; None where only columns will do."""
        contract = self.contract
        return plain_events(self.codec.reference, self.guard.rows, contract.key, contract.event_time)

    def keys(self, batch: pa.RecordBatch) -> list[bytes | None]:
        """The record key of each event: its text as UTF-8; of several properties a JSON array of texts."""
        if not self.contract.key:
            return [None] * batch.num_rows
        return record_keys([batch.column(name) for name in self.contract.key])

    def times(self, batch: pa.RecordBatch) -> pa.Array | None:
        """The time of each event (timestamp[us, UTC]), None when the contract names no event time."""
        return batch.column(self.contract.event_time) if self.contract.event_time else None
