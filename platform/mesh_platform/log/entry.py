"""A record as the log holds it, byte for byte: what hashes are made of and backups are written from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mesh_platform.log.record import ControlLog, Record, chained


@dataclass(frozen=True, slots=True)
class Entry:
    """One record, its body as text; `chain` is the hash kept beside it, None where the log keeps none."""

    offset: int
    time: str
    actor: str
    kind: str
    body: str
    command: str = ""
    chain: str | None = None

    def after(self, previous: str) -> str:
        """The chain hash of this record when `previous` is that of the record before."""
        return chained(
            previous,
            time=self.time,
            actor=self.actor,
            kind=self.kind,
            body=self.body,
            command=self.command,
        )

    def record(self) -> Record:
        """As the states see it; raises ValueError when the body is no JSON."""
        return Record(self.offset, self.time, self.actor, self.kind, json.loads(self.body), self.command)


class EntrySource(Protocol):
    """A control log for reading: of a platform that runs elsewhere, stands still, or is long gone."""

    @property
    def where(self) -> str:
        """What people call it: a file or a topic."""
        ...

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """What the log held when the call was made, from `start` on; later records do not come."""
        ...

    def close(self) -> None: ...


def body_text(body: Mapping[str, Any]) -> str:
    """A body as every log writes it, and as it is hashed."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def entry_of(record: Record) -> Entry:
    """The entry behind a record: a body that went through JSON is written as it was read."""
    text = body_text(record.body)
    return Entry(record.offset, record.time, record.actor, record.kind, text, record.command)


class LogEntries:
    """An EntrySource over any ControlLog; closing it closes the log."""

    def __init__(self, log: ControlLog, where: str) -> None:
        self._log = log
        self.where = where

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """What the log holds, from `start` on."""
        return (entry_of(record) for record in self._log.read(start))

    def close(self) -> None:
        """Let go of the log."""
        self._log.close()
