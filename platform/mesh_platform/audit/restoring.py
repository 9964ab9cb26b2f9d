"""Restoring a backup: all of it is verified first, then a log holds exactly it, or is as it was before.

Ids, versions and decisions come back because the records do. What stood there before is kept aside.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from mesh.errors import MeshError, UsageError
from mesh_platform.audit.backup import Kept, read_backup, verified_backup
from mesh_platform.audit.verification import Verified, verify
from mesh_platform.log import ControlLog, SqliteLog
from mesh_platform.log.entry import Entry, LogEntries
from mesh_platform.log.sqlite import hold
from mesh_platform.log.sqlite_reader import SqliteReader

_COMPANIONS: Final = ("-wal", "-shm")


def restore_file(backup: Path, log: Path, snapshot: Path, *, replace: bool) -> Kept:
    """Make the SQLite log under `log` what the backup holds.

    Raises MeshError MESH-S032 for a damaged backup, MESH-S010 while a platform holds the log; UsageError
    MESH-U151 when the log has records and `replace` is not said.
    """
    kept = verified_backup(backup)
    log.parent.mkdir(parents=True, exist_ok=True)
    with hold(log.with_suffix(".lock")), tempfile.TemporaryDirectory(dir=log.parent) as folder:
        there = _there(log)
        if there and not replace:
            raise _occupied(there, str(log), kept, f"mesh restore {backup} --replace")
        draft = Path(folder) / log.name
        filled = SqliteLog(draft)
        try:
            with filled.together():
                _fill(filled, read_backup(backup))
            _compare(kept, verify(LogEntries(filled, str(draft)).entries()))
        finally:
            filled.close()
        if log.exists():
            _keep_aside(log)
        snapshot.unlink(missing_ok=True)
        draft.replace(log)
        _sync(log.parent)
    return kept


def restore_into(log: ControlLog, backup: Path, where: str) -> Kept:
    """Write a backup into a log that is empty; raises as `restore_file` does."""
    kept = verified_backup(backup)
    if next(log.read(), None) is not None:
        raise _occupied("records", where, kept, "name a topic that does not exist yet")
    _fill(log, read_backup(backup))
    _compare(kept, verify(LogEntries(log, where).entries()))
    return kept


def _fill(log: ControlLog, entries: Iterable[Entry]) -> None:
    for entry in entries:
        record = entry.record()
        log.append(
            time=record.time,
            actor=record.actor,
            kind=record.kind,
            body=record.body,
            command=record.command,
        )


def _compare(kept: Kept, verified: Verified) -> None:
    if (verified.records, verified.head, verified.flaw) != (kept.records, kept.chain, None):
        raise MeshError(
            "the restored log is not the one that was backed up",
            code="MESH-S033",
            where=kept.file,
            why=f"{verified.records} of {kept.records} records came back as they were",
            fix="restore into another folder or topic; somebody may have written meanwhile",
        )


def _there(log: Path) -> str:
    """What stands where a backup is to go, in words; empty when nothing would be lost."""
    if not log.exists():
        return ""
    try:
        reader = SqliteReader(log)
        try:
            records = sum(1 for _ in reader.entries())
        finally:
            reader.close()
    except MeshError:
        return "a file that cannot be read"
    return f"{records} records" if records else ""


def _keep_aside(log: Path) -> None:
    """Link the old log under a name of its own; its write-ahead log must not be taken for the new one's."""
    try:
        old = sqlite3.connect(log)
        old.execute("pragma wal_checkpoint(truncate)")
        old.close()
    except sqlite3.Error:
        pass  # a damaged file goes aside with all that belongs to it
    number = 1
    while (aside := log.with_name(f"{log.name}.replaced-{number}")).exists():
        number += 1
    os.link(log, aside)
    for suffix in _COMPANIONS:
        companion = log.with_name(log.name + suffix)
        if companion.exists():
            companion.replace(aside.with_name(aside.name + suffix))


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _occupied(there: str, where: str, kept: Kept, fix: str) -> UsageError:
    return UsageError(
        "there is a control log already",
        code="MESH-U151",
        where=where,
        why=f"it holds {there}; the backup holds {kept.records} records and would take their place",
        fix=fix,
    )
