"""Snapshots of the views: a start reads the latest and replays what came after it.

A cache: without one, or with one that is damaged, of another release or of another log, the whole log is
replayed and nothing is lost but time.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Final

from mesh_platform.log import ControlLog, Record
from mesh_platform.log.release import release
from mesh_platform.log.snapshot import Mark, Unusable, read_snapshot, write_snapshot
from mesh_platform.views import Views

FILE: Final = "control.snapshot"
#: Records after a snapshot that are not worth another: a start replays them in a moment.
WORTH: Final = 1_000
#: The records from an offset on.
Read = Callable[[int], Iterator[Record]]
#: While it runs, a platform writes the next snapshot when the log has grown by this part.
_GROWTH: Final = 25


class Snapshots:
    """The snapshot of one state folder: read at the start, written in the background and at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = -1
        self._writer: threading.Thread | None = None

    def views(self, log: ControlLog) -> Views:
        """The views of the whole log; raises MeshError when it cannot be read."""
        views = self._restored(log)
        if views is not None:
            self._written = views.audit.offset
            replay(log.read, views)
            if log.chain in (None, views.audit.chain):
                return views
        self._written = -1
        return views_of(log)

    def grown(self, views: Views) -> None:
        """Called after a record was applied: starts to write when there is enough that is new."""
        offset = views.audit.offset
        if offset - self._written >= max(WORTH, offset // _GROWTH) and not self._busy():
            self._start(views)

    def close(self, views: Views) -> None:
        """Write what is worth it; returns when it is on disk."""
        if self._writer is not None:
            self._writer.join()
        if views.audit.offset - self._written >= WORTH:
            self._start(views).join()

    def _busy(self) -> bool:
        return self._writer is not None and self._writer.is_alive()

    def _start(self, views: Views) -> threading.Thread:
        # The copies are taken here and now; only what is made of them is left to the thread.
        mark, parts = mark_of(views), views.snapshot()
        self._written = mark.offset

        def write() -> None:
            try:
                write_snapshot(self.path, mark, parts)
            except OSError as error:
                print(f"mesh: no snapshot was written: {error}; the next start takes longer", file=sys.stderr)

        self._writer = threading.Thread(target=write, name="snapshot")
        self._writer.start()
        return self._writer

    def _restored(self, log: ControlLog) -> Views | None:
        try:
            return restored(log.read, self.path)
        except (FileNotFoundError, Unusable):
            return None
        except OSError as error:
            print(f"mesh: the snapshot is not read: {error}; the log is replayed", file=sys.stderr)
            return None


def views_of(log: ControlLog) -> Views:
    """The views of the whole log, replayed from its start."""
    return replay(log.read, Views())


def replay(read: Read, views: Views) -> Views:
    """Apply all records that views have not seen."""
    for record in read(views.audit.offset + 1):
        views.apply(record)
    return views


def mark_of(views: Views) -> Mark:
    """What a snapshot of views says of the log."""
    audit, first = views.audit, views.recent[0].offset
    before = audit.chain_at(first - 1)
    assert before is not None, "the chain is remembered for longer than the records are"
    return Mark(release(), first, before, audit.offset, audit.chain)


def loaded(path: Path) -> tuple[Mark, Views]:
    """The views as a snapshot of this release has them; raises Unusable, OSError."""
    views, marks = Views(), list[Mark]()

    def take(mark: Mark) -> None:
        if mark.release != release():
            raise Unusable("it is of another release")
        marks.append(mark)

    try:
        for part in read_snapshot(path, take):
            views.restore(part)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise Unusable("it is damaged") from error
    mark = marks[0]
    if views.audit.head != (mark.offset, mark.chain):
        raise Unusable("it is damaged")
    return mark, views


def restored(read: Read, path: Path) -> Views:
    """The views as a snapshot of this log has them, at its offset; raises Unusable, OSError."""
    mark, views = loaded(path)
    known = list(takewhile(lambda record: record.offset <= mark.offset, read(mark.first)))
    chain = views.recall(mark.before, known)
    if not known or known[-1].offset != mark.offset or chain != mark.chain:
        raise Unusable("it is of another log")
    return views
