"""One event on Kafka: the frame around its Avro datum and the facts in its headers."""

from mesh.event.dead_letters import PUBLISHER, dead_letter_headers, error_facts, without_dead_letter_headers
from mesh.event.envelope import AVRO, Envelope, EventIds, Header, Stamp, Stamped, format_time, parse_time
from mesh.event.frames import (
    FRAME_BYTES,
    Poison,
    SchemaGroup,
    SchemaKey,
    Unframed,
    frame,
    frame_prefix,
    framing,
    schema_header,
    schema_of_headers,
    unframe,
    unframe_batch,
)
from mesh.event.instants import instants_as_text
from mesh.event.tracing import active_traceparent, checked_traceparent
from mesh.event.violations import violation_header, violations

__all__ = [
    "AVRO",
    "FRAME_BYTES",
    "PUBLISHER",
    "Envelope",
    "EventIds",
    "Header",
    "Poison",
    "SchemaGroup",
    "SchemaKey",
    "Stamp",
    "Stamped",
    "Unframed",
    "active_traceparent",
    "checked_traceparent",
    "dead_letter_headers",
    "error_facts",
    "format_time",
    "frame",
    "frame_prefix",
    "framing",
    "instants_as_text",
    "parse_time",
    "schema_header",
    "schema_of_headers",
    "unframe",
    "unframe_batch",
    "violation_header",
    "violations",
    "without_dead_letter_headers",
]
