"""A topic without a broker: records as they would come in, and the schemas they name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mesh.errors import RegistryError
from mesh.schema import AvroSchema
from mesh.writers import UNKNOWN_SCHEMA

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Record:
    """One record, with the methods of the official client's messages."""

    value_bytes: bytes | None
    place: tuple[str, int, int] = ("", 0, 0)
    key_bytes: bytes | None = None
    published_ms: int = 0
    header_pairs: Headers = field(default_factory=list)

    def topic(self) -> str:
        """Its topic."""
        return self.place[0]

    def partition(self) -> int:
        """Its partition."""
        return self.place[1]

    def offset(self) -> int:
        """Where it stands on the partition."""
        return self.place[2]

    def key(self) -> bytes | None:
        """The record key."""
        return self.key_bytes

    def value(self) -> bytes | None:
        """The event; None is a tombstone."""
        return self.value_bytes

    def headers(self) -> Headers | None:
        """The envelope."""
        return self.header_pairs

    def timestamp(self) -> tuple[int, int]:
        """When it was published, in milliseconds, as Kafka's CreateTime."""
        return 1, self.published_ms


class Schemas:
    """A registry's memory: schemas by id, from 1 on."""

    def __init__(self, schemas: Sequence[AvroSchema] = ()) -> None:
        self._schemas = list(schemas)

    def schema(self, schema_id: int) -> AvroSchema:
        """The schema of an id; raises RegistryError as a registry that does not know it."""
        if 0 < schema_id <= len(self._schemas):
            return self._schemas[schema_id - 1]
        raise RegistryError(f"Schema {schema_id} not found", status=404, registry_code=UNKNOWN_SCHEMA)
