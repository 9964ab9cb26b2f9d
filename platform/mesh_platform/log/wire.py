"""A control event as bytes on Kafka: one JSON object that says its own format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from mesh_platform.log.record import Record

FORMAT: Final = 1
#: The kind of a message that no release of ours wrote: it takes its offset and changes nothing.
UNREADABLE: Final = "log.unreadable"


def encoded(*, time: str, actor: str, kind: str, body: Mapping[str, Any], command: str) -> bytes:
    """The value of a message."""
    event = {"format": FORMAT, "time": time, "actor": actor, "kind": kind, "command": command, "body": body}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def decoded(offset: int, value: bytes | None) -> Record:
    """The record of a message; one that cannot be read is of the kind `log.unreadable`, never an error.

    Members that a later release added are passed over; a later format as a whole is not guessed at.
    """
    try:
        event = json.loads(value or b"")
        if event["format"] != FORMAT:
            return _unreadable(offset, f"format {event['format']!r}")
        texts = [event[name] for name in ("time", "actor", "kind", "command")]
        if not all(isinstance(text, str) for text in texts) or not isinstance(event["body"], dict):
            return _unreadable(offset, "a member of another type")
        datetime.fromisoformat(event["time"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return _unreadable(offset, f"{type(error).__name__}: {error}")
    time, actor, kind, command = texts
    return Record(offset, time, actor, kind, event["body"], command)


def _unreadable(offset: int, why: str) -> Record:
    return Record(offset, "", "", UNREADABLE, {"why": why[:200]})
