"""What an auditor asks: is the log what was written, and does the platform serve what the log says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from mesh.errors import MeshError
from mesh_platform.audit.report import refuse_tampered
from mesh_platform.audit.verification import Anchor, verify
from mesh_platform.log.entry import EntrySource
from mesh_platform.log.record import Record
from mesh_platform.log.snapshot import Mark, Unusable
from mesh_platform.snapshots import Read, loaded, replay
from mesh_platform.views import Views

_AGREES = "agrees with a whole replay"
_UNUSED = "none in use"


@dataclass(frozen=True, slots=True)
class Examined:
    """A log that passed."""

    log: str
    records: int
    head: str  #: offset and chain hash of the last record, for an auditor to keep; empty without records
    checkpoints: int
    snapshot: str


def examine(source: EntrySource, snapshot: Path, anchors: Sequence[Anchor]) -> Examined:
    """Verify every record, then replay the log without the snapshot and compare what comes out.

    Raises MeshError MESH-S030 for a log that is not what was written, MESH-S031 for a snapshot that says
    otherwise than the log. A snapshot that no start would use is passed over.
    """
    kept = _kept(snapshot)  # first: a platform that runs may write the next one meanwhile
    witnesses = [*anchors, *([Anchor(kept[0].offset, kept[0].chain, "the snapshot")] if kept else [])]
    verified = verify(source.entries(), witnesses)
    refuse_tampered(verified, source.where)
    if kept is not None:
        read = _reading(source, verified.records)
        if replay(read, kept[1]).fingerprint() != replay(read, Views()).fingerprint():
            raise _disagrees(snapshot)
    head = f"{verified.records - 1}:{verified.head}" if verified.records else ""
    summary = _UNUSED if kept is None else _AGREES
    return Examined(source.where, verified.records, head, verified.checkpoints, summary)


def _kept(snapshot: Path) -> tuple[Mark, Views] | None:
    try:
        return loaded(snapshot)
    except (Unusable, OSError):
        return None


def _reading(source: EntrySource, records: int) -> Read:
    def read(start: int) -> Iterator[Record]:
        entries = takewhile(lambda entry: entry.offset < records, source.entries(start))
        return (entry.record() for entry in entries)

    return read


def _disagrees(snapshot: Path) -> MeshError:
    return MeshError(
        "the snapshot is not what the log led to",
        code="MESH-S031",
        where=str(snapshot),
        why="what a start from it would serve is not what a replay of the whole log leads to",
        fix=f"stop the platform, then: rm {snapshot}   (the next start replays the log)",
    )
