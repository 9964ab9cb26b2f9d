"""The control log in one SQLite file: WAL, synchronous=FULL, so that an answer survives a crash.

Behaviour: an append is on disk when it returns · one process at a time (a lock on the file beside it) ·
a full disk refuses the append and keeps what is there · who follows has the record before `append` returns.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from mesh.errors import MeshError
from mesh_platform.log.record import GENESIS, Deliver, Failed, LogUnavailable, Record, chained
from mesh_platform.log.refusals import no_use

_SCHEMA = """
create table if not exists control_log (
    log_offset integer primary key,
    time text not null,
    actor text not null,
    kind text not null,
    body text not null,
    chain text not null,
    command text not null default ''
) strict
"""
_ADD_COMMAND = "alter table control_log add column command text not null default ''"


class SqliteLog:
    """A ControlLog in a file; raises MeshError (MESH-S010…S012) when it cannot be held or written."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = hold(path.with_suffix(".lock"))
        self._turn = threading.Lock()
        self._deliver: Deliver = _nobody
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.execute(_SCHEMA)
            if "command" not in {row[1] for row in self._db.execute("pragma table_info(control_log)")}:
                self._db.execute(_ADD_COMMAND)  # a file from before commands had names
            last = self._db.execute(
                "select log_offset, chain from control_log order by log_offset desc limit 1"
            ).fetchone()
        except sqlite3.Error as error:
            self.close()
            raise no_use(str(path), str(error)) from error
        self._next: int = 0 if last is None else last[0] + 1
        self._chain: str = GENESIS if last is None else last[1]

    def append(
        self, *, time: str, actor: str, kind: str, body: Mapping[str, Any], command: str = ""
    ) -> Record:
        """Durable and delivered when it returns."""
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        with self._turn:
            chain = chained(self._chain, time=time, actor=actor, kind=kind, body=text, command=command)
            try:
                self._db.execute(
                    "insert into control_log values (?, ?, ?, ?, ?, ?, ?)",
                    (self._next, time, actor, kind, text, chain, command),
                )
            except sqlite3.OperationalError as error:
                raise LogUnavailable(
                    "the control log cannot be written",
                    code="MESH-S011",
                    where=str(self._path),
                    why=str(error),
                    fix="free disk space; nothing acknowledged is lost, and the request may be repeated",
                ) from error
            record = Record(self._next, time, actor, kind, json.loads(text), command)
            self._next, self._chain = self._next + 1, chain
            self._deliver([record])
        return record

    def send(
        self,
        failed: Failed,
        *,
        time: str,
        actor: str,
        kind: str,
        body: Mapping[str, Any],
        command: str = "",
    ) -> None:
        """`append`: it takes well under a millisecond."""
        try:
            self.append(time=time, actor=actor, kind=kind, body=body, command=command)
        except LogUnavailable as error:
            failed(error)

    def read(self, start: int = 0) -> Iterator[Record]:
        """All from `start` on, in log order; raises MeshError (MESH-S012) for one that cannot be read."""
        rows = self._db.execute(
            "select log_offset, time, actor, kind, body, command from control_log"
            " where log_offset >= ? order by log_offset",
            (start,),
        )
        for offset, time, actor, kind, body, command in rows:
            try:
                record = Record(offset, time, actor, kind, json.loads(body), command)
            except (ValueError, RecursionError) as error:
                raise no_use(str(self._path), f"record {offset} is no JSON: {error}") from error
            yield record

    def follow(self, start: int, deliver: Deliver, lost: Failed) -> None:  # noqa: ARG002 - it cannot be lost
        """Each record from `start` on, in the thread that appends it: nobody else writes here."""
        with self._turn:
            if missed := list(self.read(start)):
                deliver(missed)
            self._deliver = deliver

    def end(self) -> None:
        """None: what is in the file has been applied by who wrote it."""
        return

    def trouble(self) -> str:
        """None: the file is there, or it was refused when it was opened."""
        return ""

    @property
    def chain(self) -> str:
        """The hash beside the last record."""
        return self._chain

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is appended inside becomes durable at the end, all of it or nothing: for restoring a log."""
        self._db.execute("begin")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def verify(self) -> int | None:
        """The offset of the first record that was tampered with, None when the chain holds.

        Records cut off at the end show only to the process that appended or replayed them.
        """
        previous, expected = GENESIS, 0
        rows = self._db.execute("select * from control_log order by log_offset")
        for offset, time, actor, kind, body, chain, command in rows:
            previous = chained(previous, time=time, actor=actor, kind=kind, body=body, command=command)
            if offset != expected or previous != chain:
                return int(expected)
            expected += 1
        return None if (expected, previous) == (self._next, self._chain) else expected

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
        self._lock.close()


def _nobody(_records: object) -> None:
    """Nobody follows yet."""


def hold(path: Path) -> IO[str]:
    """The one holder's lock, until it is closed; raises MeshError (MESH-S010) while another has it."""
    handle = path.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise MeshError(
            "another platform process holds this state",
            code="MESH-S010",
            where=str(path),
            why="the SQLite control log has one writer",
            fix="stop it (mesh down), or choose another folder with --state",
        ) from None
    return handle
