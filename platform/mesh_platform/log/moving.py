"""A platform that is told to keep its control log elsewhere does not begin anew by mistake.

What it knows lies in one log. Started with the other kind, it would find nothing there and give every id
a second time, so that is refused until a backup was restored there, or the old log was put away.
"""

from __future__ import annotations

from pathlib import Path

from mesh.errors import MeshError
from mesh_platform.log.choice import FILE, LogKind, open_log
from mesh_platform.log.kafka_memory import FILE as TOPIC_FILE
from mesh_platform.log.kafka_memory import read_up_to
from mesh_platform.log.record import ControlLog
from mesh_platform.log.sqlite_reader import SqliteReader


def log_in_use(kind: LogKind, state: Path, bootstrap: str) -> ControlLog:
    """The control log to serve from; MeshError (MESH-S028) when it is empty and the other one is not."""
    left = _file(state) if kind == "kafka" else _topic(state)
    log = open_log(kind, state, bootstrap)
    if left is None or next(log.read(), None) is not None:
        return log
    log.close()
    was: LogKind = "sqlite" if kind == "kafka" else "kafka"
    raise MeshError(
        f"the control log of this folder is kept in {was}, and the one in {kind} is empty",
        code="MESH-S028",
        where=str(left),
        why="the platform would know nothing any more, and give ids a second time",
        fix=f"mesh backup FILE --control-log {was}; mesh restore FILE --control-log {kind};"
        f" or begin anew: mv {left} {left}.old",
    )


def _file(state: Path) -> Path | None:
    """The file of this folder, when it holds a record."""
    file = state / FILE
    if not file.exists():
        return None
    reader = SqliteReader(file)
    try:
        return None if next(reader.entries(), None) is None else file
    finally:
        reader.close()


def _topic(state: Path) -> Path | None:
    """What this folder remembers of a topic, when a record was read there."""
    file = state / TOPIC_FILE
    return file if read_up_to(file) else None
