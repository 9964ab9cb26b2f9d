"""One event on Kafka: the frame around its Avro datum and the facts in its headers."""

from mesh.event.dead_letters import PUBLISHER, dead_letter_headers, error_facts, without_dead_letter_headers
from mesh.event.envelope import AVRO, Envelope, EventIds, Header, Stamp, format_time, parse_time
from mesh.event.frames import (
    FRAME_BYTES,
    Poison,
    SchemaGroup,
    Unframed,
    frame,
    frame_prefix,
    unframe,
    unframe_batch,
)

__all__ = [
    "AVRO",
    "FRAME_BYTES",
    "PUBLISHER",
    "Envelope",
    "EventIds",
    "Header",
    "Poison",
    "SchemaGroup",
    "Stamp",
    "Unframed",
    "dead_letter_headers",
    "error_facts",
    "format_time",
    "frame",
    "frame_prefix",
    "parse_time",
    "unframe",
    "unframe_batch",
    "without_dead_letter_headers",
]
