"""W3C Trace Context: the `traceparent` of an event, given by hand or taken from the trace that is active.

OpenTelemetry is neither needed nor imported: who has an active trace has imported it already.
"""

from __future__ import annotations

import re
import sys

from mesh.errors import EventError

_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def active_traceparent() -> str | None:
    """The `traceparent` of OpenTelemetry's active span, None without one."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def checked_traceparent(text: str) -> str:
    """The text itself; raises EventError (MESH-E040) when W3C Trace Context does not allow it."""
    if _FORM.fullmatch(text) is None:
        raise EventError(
            f"{text!r} is no traceparent",
            code="MESH-E040",
            why="W3C Trace Context asks for 00-<32 hexadecimal digits>-<16 of them>-<2 of them>",
            fix="leave it out: the trace that is active is found by itself",
        )
    return text
