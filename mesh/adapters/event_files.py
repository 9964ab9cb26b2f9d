"""Events as files: JSON lines, Avro object container files, Arrow streams."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from mesh.contract.model import Contract
from mesh.errors import UsageError

Events = Sequence[Mapping[str, Any]]


def created(path: Path) -> IO[bytes]:
    """A new file for writing; raises UsageError when it cannot be made."""
    try:
        return path.open("wb")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written",
            code="MESH-U134",
            where=str(path),
            why=error.strerror or str(error),
            fix="name a file in a folder that is there: -o events.json",
        ) from error


def as_json(events: Events, _contract: Contract, file: IO[bytes]) -> None:
    """One JSON object a line, as `mesh read` prints them."""
    for event in events:
        file.write(json.dumps(event, default=_text, ensure_ascii=False).encode() + b"\n")


def as_avro(events: Events, contract: Contract, file: IO[bytes]) -> None:
    """An object container file with the contract's own schema (Avro 1.12, «Object Container Files»)."""
    import fastavro

    from mesh.contract.avro import avro_schema

    fastavro.writer(file, fastavro.parse_schema(avro_schema(contract).codec_tree), events, codec="deflate")


def as_arrow(events: Events, contract: Contract, file: IO[bytes]) -> None:
    """An Arrow IPC stream; its columns may be null, so that broken events can be told too."""
    import pyarrow as pa

    from mesh.codec import arrow_schema
    from mesh.contract.avro import avro_schema

    schema = arrow_schema(avro_schema(contract))
    loose = pa.schema([pa.field(field.name, field.type, nullable=True) for field in schema])
    rows = [
        {name: _pairs(value, loose.field(name).type) for name, value in event.items()} for event in events
    ]
    with pa.ipc.new_stream(file, loose) as stream:
        stream.write_batch(pa.RecordBatch.from_pylist(rows, schema=loose))


def _pairs(value: Any, found: Any) -> Any:
    """A value as Arrow takes it: a map is a list of pairs there."""
    import pyarrow as pa

    if value is None:
        return None
    if pa.types.is_map(found):
        return [(key, _pairs(item, found.item_type)) for key, item in value.items()]
    if pa.types.is_list(found):
        return [_pairs(item, found.value_type) for item in value]
    if pa.types.is_struct(found):
        return {part.name: _pairs(value.get(part.name), part.type) for part in found}
    return value


def _text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
