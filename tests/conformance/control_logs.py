"""A control log of each kind, opened as often as a test likes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest

from mesh.errors import MeshError
from mesh_platform.brokers import RunningBroker
from mesh_platform.log import ControlLog, Record, SqliteLog
from mesh_platform.log.kafka import KafkaLog

WHEN = "2026-11-02T09:00:00.000+00:00"
SOON_SECONDS = 10.0


class Logs(Protocol):
    """Where one control log is kept."""

    def open(self) -> ControlLog:
        """The log, as one more process has it."""


@dataclass
class SqliteLogs:
    """One file; whoever opened it before has let go of it, because it has one process at a time."""

    folder: Path
    _opened: list[SqliteLog] = field(default_factory=list)

    def open(self) -> SqliteLog:
        self.close()
        self._opened.append(SqliteLog(self.folder / "control.db"))
        return self._opened[-1]

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()


@dataclass
class KafkaLogs:
    """One topic; each who opens it has a state folder of its own, as another process has."""

    bootstrap: str
    folder: Path
    topic: str = field(default_factory=lambda: f"__control_{uuid4().hex[:12]}")
    _opened: list[KafkaLog] = field(default_factory=list)

    def open(self) -> KafkaLog:
        self._opened.append(KafkaLog(self.bootstrap, self.topic, self.folder / str(len(self._opened))))
        return self._opened[-1]

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()


@dataclass
class Follower:
    """Keeps what a log delivers, and waits for it."""

    records: list[Record] = field(default_factory=list)
    lost: list[MeshError] = field(default_factory=list)
    _came: threading.Condition = field(default_factory=threading.Condition)

    def deliver(self, records: Sequence[Record]) -> None:
        with self._came:
            self.records.extend(records)
            self._came.notify_all()

    def lose(self, error: MeshError) -> None:
        with self._came:
            self.lost.append(error)
            self._came.notify_all()

    def wait_for(self, happened: Callable[[], bool]) -> None:
        with self._came:
            assert self._came.wait_for(happened, SOON_SECONDS), (self.records[-3:], self.lost)


def append(log: ControlLog, *numbers: int, actor: str = "ann") -> list[Record]:
    """One record per number."""
    return [
        log.append(time=WHEN, actor=actor, kind="test.kind", body={"n": n, "é": [None, 1.5]}, command=f"c{n}")
        for n in numbers
    ]


def eventually(question: Callable[[], bool], seconds: float = SOON_SECONDS) -> None:
    """Returns once it is so; fails when it never is."""
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, "it did not come to be"
        threading.Event().wait(0.005)


def kafka_logs(broker: RunningBroker, folder: Path) -> Iterator[KafkaLogs]:
    """A log of its own on a broker that runs."""
    logs = KafkaLogs(broker.bootstrap, folder)
    yield logs
    logs.close()


KINDS = ["sqlite", "embedded", pytest.param("kafka", marks=pytest.mark.kafka)]
