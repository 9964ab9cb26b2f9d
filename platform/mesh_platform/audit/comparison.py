"""What a platform serves beside what its log says: from the snapshot on, and replayed whole."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from mesh.errors import MeshError
from mesh_platform.audit.verification import Anchor
from mesh_platform.log.entry import EntrySource
from mesh_platform.log.record import Record
from mesh_platform.log.release import release
from mesh_platform.log.snapshot import Mark, Unusable, read_snapshot
from mesh_platform.snapshots import Read, replay, restored
from mesh_platform.views import Views


def anchor_of(snapshot: Path) -> Anchor | None:
    """The chain hash that a snapshot keeps; None without one, or with one that a start would not use."""
    marks: list[Mark] = []
    try:
        for _ in read_snapshot(snapshot, marks.append):
            pass
    except (Unusable, OSError):
        return None
    mark = marks[0]
    return Anchor(mark.offset, mark.chain, "the snapshot") if mark.release == release() else None


def compare(source: EntrySource, snapshot: Path, records: int) -> None:
    """Raise MeshError (MESH-S031) unless a start from the snapshot leads where `records` records lead.

    The snapshot is one that `anchor_of` knows.
    """
    read = _reading(source, records)
    try:
        served = replay(read, restored(read, snapshot)).fingerprint()
    except Unusable as error:
        raise _disagrees(snapshot, str(error)) from error
    if served != replay(read, Views()).fingerprint():
        raise _disagrees(snapshot, "a replay of the whole log leads elsewhere")


def _disagrees(snapshot: Path, why: str) -> MeshError:
    return MeshError(
        "the snapshot is not what the log led to",
        code="MESH-S031",
        where=str(snapshot),
        why=why,
        fix=f"stop the platform, then: rm {snapshot}   (the next start replays the log)",
    )


def _reading(source: EntrySource, records: int) -> Read:
    def read(start: int) -> Iterator[Record]:
        entries = takewhile(lambda entry: entry.offset < records, source.entries(start))
        return (entry.record() for entry in entries)

    return read
