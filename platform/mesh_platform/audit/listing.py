"""The control log for people: a line a record."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from mesh_platform.log.entry import Entry
from mesh_platform.log.record import Record

#: What names the thing a record is about, first found first told.
_NAMES = ("contract_id", "full_name", "product", "subject", "number", "offset")
_MORE = ("version", "decision")
_WIDTH = 60


def listed(entries: Iterable[Entry], *, actor: str, kind: str, last: int) -> Iterable[Record]:
    """The records asked for, oldest first; a body that is no JSON is shown as text."""
    found = (_record(entry) for entry in entries if actor in ("", entry.actor) and _is(entry.kind, kind))
    return deque(found, last) if last else found


def told(record: Record) -> str:
    """One line: where, when, who, what, of what."""
    about = _about(record.body)
    words = (record.time, record.actor, record.kind, about if len(about) <= _WIDTH else f"{about[:_WIDTH]}…")
    return _printable(f"{record.offset:>7}  {'  '.join(words)}".rstrip())


def _is(kind: str, wanted: str) -> bool:
    return not wanted or kind == wanted or kind.startswith(f"{wanted.rstrip('.')}.")


def _record(entry: Entry) -> Record:
    try:
        return entry.record()
    except ValueError:
        return Record(entry.offset, entry.time, entry.actor, entry.kind, {"unreadable": entry.body})


def _about(body: Mapping[str, Any]) -> str:
    for name in _NAMES:
        if name in body:
            return " ".join([str(body[name]), *(str(body[more]) for more in _MORE if body.get(more))])
    return json.dumps(body, ensure_ascii=False)


def _printable(text: str) -> str:
    """Nothing that a terminal would obey."""
    return "".join(character if character.isprintable() else "�" for character in text)
