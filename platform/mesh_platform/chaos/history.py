"""History: what each process did and was told, one JSON line each; the processes' only testimony.

Every action is a line `invoke` and later one of `ok`, `fail` (it certainly did not happen) or `info` (nobody
knows: time is over, or a process is dead). Values are unique, `<proc>-<number>`, so the lines alone tell
what happened. An action on many events says `vs`, and `offs` where it knows them, instead of `v` and `off`.

| f | what | fields |
| --- | --- | --- |
| send | events of a publisher or an idempotent producer | topic, partition, v; off when ok |
| put | one event of a compacted topic; v is null for a tombstone | topic, partition, k, v; off when ok |
| txn | a transaction: all of `vs`, and position `off` of group `k` | topic, partition, k, off, vs |
| poll | events as a consumer got them | topic, partition, off, k, v |
| assign | a consumer begins anew on a partition | topic, partition |
| commit | a position of a group | k (the group), topic, partition, off |
| create, delete | a topic | topic |
| fatal | the client called its producer dead, for the reason `v` | v; always info |
| begin | a process begins one of its lives | |
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, TypeVar

Outcome = Literal["invoke", "ok", "fail", "info"]
Place = tuple[str, int]


class Timed(Protocol):
    """A line of any history."""

    @property
    def t(self) -> float: ...


_STEP = 64 * 1024
AnyLine = TypeVar("AnyLine", bound=Timed)


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
    offs: tuple[int, ...] = ()

    @property
    def place(self) -> Place:
        """The partition it speaks of."""
        return self.topic, self.partition

    @property
    def events(self) -> Iterable[tuple[int, str | None]]:
        """Offset, -1 where it is not known, and value of each event it speaks of."""
        if not self.vs:
            return ((self.off, self.v),)
        return zip(self.offs or (self.off,) * len(self.vs), self.vs, strict=True)


class Recorder:
    """Writes one process's lines, each at once; goes on where an earlier life of it was killed."""

    def __init__(self, path: Path, proc: str) -> None:
        _trim(path)
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._proc = proc

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    def note(self, outcome: Outcome, f: str, **said: Any) -> None:
        """One line, on its way to the file when this returns: kill -9 does not take it back."""
        line = {"t": round(time.monotonic(), 4), "proc": self._proc, "type": outcome, "f": f, **said}
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")


def read(paths: Iterable[Path], kind: type[AnyLine]) -> list[AnyLine]:
    """The lines of all processes, in the order of time."""
    return sorted((line for path in paths for line in _lines(path, kind)), key=lambda line: line.t)


def last_line(path: Path, f: str) -> dict[str, Any] | None:
    """The last whole line about `f` in a process's history, None where there is none."""
    for text in _backwards(path):
        said: dict[str, Any] = json.loads(text)
        if said["f"] == f:
            return said
    return None


def _backwards(path: Path) -> Iterator[bytes]:
    """Whole lines, the last one first; only as much of the file is read as is asked for."""
    if not path.exists():
        return
    with path.open("rb") as file:
        at, rest, torn = file.seek(0, os.SEEK_END), b"", True
        while at > 0:
            size = min(at, _STEP)
            at = file.seek(at - size)
            lines = (file.read(size) + rest).split(b"\n")
            rest, lines = lines[0], lines[1:]
            if torn and lines:
                lines, torn = lines[:-1], False
            yield from (line for line in reversed(lines) if line)
    if rest and not torn:
        yield rest


def _lines(path: Path, kind: type[AnyLine]) -> Iterator[AnyLine]:
    with path.open(encoding="utf-8") as file:
        for text in file:
            if text.endswith("\n"):  # the last one may have been torn by a kill
                said = json.loads(text)
                yield kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in said.items()})


def _trim(path: Path) -> None:
    """Take away the beginning of a line that a kill has left."""
    if path.exists():
        blob = path.read_bytes()
        if not blob.endswith(b"\n"):
            os.truncate(path, blob.rfind(b"\n") + 1)
