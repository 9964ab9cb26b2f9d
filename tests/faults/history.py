"""History: what each worker did and was told, one JSON line each; the workers' only testimony.

Every action is a line `invoke` and later one of `ok`, `fail` (it certainly did not happen) or `info` (nobody
knows: time is over, or the producer is dead). Values are unique, `<proc>-<number>`, so the lines alone tell
what happened.

| f | what | fields |
| --- | --- | --- |
| send | one event of an idempotent producer | topic, partition, v; off when ok |
| put | one event of a compacted topic; v is null for a tombstone | topic, partition, k, v; off when ok |
| txn | a transaction: all of `vs`, and position `off` of group `k` | topic, partition, k, off, vs |
| poll | one event as a consumer got it | topic, partition, off, k, v |
| assign | a consumer begins anew on a partition | topic, partition |
| commit | a position of a group | k (the group), topic, partition, off |
| create, delete | a topic | topic |
| fatal | the client called its producer dead, for the reason `v` | v; always info |
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

Outcome = Literal["invoke", "ok", "fail", "info"]
Place = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a history."""

    t: float = 0.0
    proc: str
    type: Outcome
    f: str
    topic: str = ""
    partition: int = -1
    off: int = -1
    k: str | None = None
    v: str | None = None
    vs: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        return self.topic, self.partition


class Recorder:
    """Writes one worker's lines, each at once."""

    def __init__(self, path: Path, proc: str) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._proc = proc

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    def note(self, outcome: Outcome, f: str, **said: Any) -> None:
        line = {"t": round(time.monotonic(), 4), "proc": self._proc, "type": outcome, "f": f, **said}
        self._file.write(json.dumps(line) + "\n")


def read(paths: Iterable[Path]) -> list[Line]:
    """The lines of all workers, in the order of time."""
    return sorted((line for path in paths for line in _lines(path)), key=lambda line: line.t)


def _lines(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8") as file:
        for text in file:
            said = json.loads(text)
            yield Line(**(said | {"vs": tuple(said.get("vs", ()))}))
