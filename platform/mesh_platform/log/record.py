"""One control event, and the log that orders them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Record:
    """A control event. Times and ids travel in it: whoever applies it looks at nothing else."""

    offset: int
    time: str  #: ISO 8601, UTC
    actor: str
    kind: str
    body: Mapping[str, Any]


def chained(previous: str, *, time: str, actor: str, kind: str, body: str) -> str:
    """The hash that ties a record to all before it, so that a later edit shows."""
    text = json.dumps([previous, time, actor, kind, body], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class ControlLog(Protocol):
    """Appends durably and reads back in order. Offsets count from 0 without gaps."""

    def append(self, *, time: str, actor: str, kind: str, body: Mapping[str, Any]) -> Record:
        """Durable when it returns."""

    def read(self, start: int = 0) -> Iterator[Record]:
        """All records from `start` on, in log order."""

    def verify(self) -> int | None:
        """The offset of the first record that was tampered with, None when the chain holds."""

    def close(self) -> None: ...
