"""Which control log the platform keeps: a file of its own, or a topic that several processes share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from mesh.errors import UsageError
from mesh_platform.log.entry import EntrySource
from mesh_platform.log.record import ControlLog

LogKind = Literal["sqlite", "kafka"]
FILE: Final = "control.db"
TOPIC: Final = "__mesh_control"  #: two underscores: Kafka's own mark for topics that are nobody's data


def log_kind(named: str) -> LogKind:
    """The kind of log; raises UsageError (MESH-U065) for another word."""
    if named == "sqlite":
        return "sqlite"
    if named == "kafka":
        return "kafka"
    raise UsageError(
        f"--control-log cannot be {named!r}",
        code="MESH-U065",
        where="--control-log or MESH_CONTROL_LOG",
        why="allowed: sqlite, kafka",
        fix="mesh serve --control-log sqlite",
    )


def control_topic(environ: Mapping[str, str]) -> str:
    """The topic of the control log: MESH_CONTROL_TOPIC, where several meshes share a cluster."""
    return environ.get("MESH_CONTROL_TOPIC") or TOPIC


def open_log(kind: LogKind, state: Path, bootstrap: str) -> ControlLog:
    """The control log of this platform; raises MeshError when it cannot be held or must not be used."""
    if kind == "kafka":
        from mesh_platform.log.kafka import KafkaLog

        return KafkaLog(bootstrap, control_topic(os.environ), state)
    from mesh_platform.log.sqlite import SqliteLog

    return SqliteLog(state / FILE)


def open_source(kind: LogKind, state: Path, bootstrap: str) -> EntrySource:
    """The control log for reading, whoever holds it; raises UsageError when there is none."""
    if kind == "kafka":
        from mesh_platform.log.kafka_entries import KafkaEntries

        return KafkaEntries(bootstrap, control_topic(os.environ))
    from mesh_platform.log.sqlite_reader import SqliteReader

    return SqliteReader(state / FILE)
