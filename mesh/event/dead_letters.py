"""Why an event is on a dead-letter topic, in its headers; key, value and own headers stay untouched.

MESH-E090  a handler's own error
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from typing import Final

from mesh import limits
from mesh.errors import MeshError, Position

#: Who set an event aside that was never on its topic.
PUBLISHER: Final = "publisher"
_DEAD_LETTER: Final = ("mesh.dlq.", "__streams.errors.")


def dead_letter_headers(
    headers: Iterable[tuple[str, bytes | None]] | None,
    *,
    error: BaseException,
    position: Position,
    group: str,
    time_ms: int | None = None,
    failures: int | None = None,
) -> list[tuple[str, bytes | None]]:
    """The headers of an event on its way to the dead-letter topic: its own, then why and from where.

    `mesh.dlq.*` for people and replay, `__streams.errors.*` (KIP-1034) for consoles that know Kafka
    Streams. Values are UTF-8 text of at most `limits.HEADER_BYTES`. Key and value travel unchanged.
    The letter's own timestamp says when it was set aside; `time_ms` is the event's, `failures` counts
    how often a handler failed.
    """
    code, what, why = error_facts(error)
    facts = {
        "mesh.dlq.code": code,
        "mesh.dlq.reason": what,
        "mesh.dlq.why": why,
        "mesh.dlq.topic": position.topic,
        "mesh.dlq.partition": str(position.partition),
        "mesh.dlq.offset": str(position.offset),
        "mesh.dlq.group": group,
        **({} if time_ms is None else {"mesh.dlq.timestamp": str(max(time_ms, 0))}),
        **({} if failures is None else {"mesh.dlq.failures": str(failures)}),
        "__streams.errors.exception": f"{type(error).__module__}.{type(error).__qualname__}",
        "__streams.errors.stacktrace": _stack(error),
        "__streams.errors.message": what,
        "__streams.errors.topic": position.topic,
        "__streams.errors.partition": str(position.partition),
        "__streams.errors.offset": str(position.offset),
    }
    return [*(headers or ()), *((name, _clip(text)) for name, text in facts.items())]


def _stack(error: BaseException) -> str:
    """Where a handler failed. Of the mesh's own verdicts no frames: they are about the event."""
    if isinstance(error, MeshError):
        return f"{type(error).__module__}.{type(error).__qualname__}: {error}"
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def without_dead_letter_headers(
    headers: Iterable[tuple[str, bytes | None]] | None,
) -> list[tuple[str, bytes | None]]:
    """The headers an event had before it was dead-lettered: what a replay sends."""
    return [(name, raw) for name, raw in headers or () if not name.startswith(_DEAD_LETTER)]


def error_facts(error: BaseException) -> tuple[str, str, str]:
    """`(code, what, why)` of an error of the mesh, or of a handler's own."""
    if isinstance(error, MeshError):
        return error.error_code, error.what, error.why
    return "MESH-E090", f"{type(error).__name__}: {error}", "the handler raised an error of its own"


def _clip(text: str) -> bytes:
    raw = text.encode(errors="replace")
    if len(raw) <= limits.HEADER_BYTES:
        return raw
    return raw[: limits.HEADER_BYTES].decode(errors="ignore").encode()
