"""The node: its topics, their logs, its groups and its store; everything the handlers work on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kio.schema.errors import ErrorCode

from mesh.errors import PlanError
from mesh_platform.broker import journal
from mesh_platform.broker.batch import read_batch
from mesh_platform.broker.coordinator import Coordinator
from mesh_platform.broker.disk import Disk
from mesh_platform.broker.files import sync_folder
from mesh_platform.broker.ledger import Ledger
from mesh_platform.broker.log import Log, LogFailed
from mesh_platform.broker.markers import marker
from mesh_platform.broker.recovery import Dropped
from mesh_platform.broker.settings import TopicConfig
from mesh_platform.broker.store import STORE_FILE, Store, TopicRow
from mesh_platform.broker.traffic import Traffic
from mesh_platform.broker.transaction import Transaction

NODE_ID = 1
_GOING = ".deleted"
Durability = Literal["os", "always", "interval"]


def now_ms() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


@dataclass(slots=True)
class Topic:
    """A topic and the logs of its partitions, in order."""

    name: str
    id: uuid.UUID
    config: TopicConfig
    directory: Path
    logs: list[Log] = field(default_factory=list)


class Node:
    """One Kafka node on one data folder, which it holds alone while it lives."""

    def __init__(
        self, data: Path, durability: Durability, *, creates_topics: bool, max_disk: int | None = None
    ) -> None:
        self.data = data
        self.durability = durability
        self.creates_topics = creates_topics
        self.recovered: list[tuple[str, int, Dropped]] = []
        self.topics: dict[str, Topic] = {}
        self.by_id: dict[uuid.UUID, Topic] = {}
        with contextlib.ExitStack() as held:
            self._lock = _hold(data)
            held.callback(os.close, self._lock)
            self.store = Store(data / STORE_FILE, synchronous="full" if durability == "always" else "normal")
            held.callback(self.store.close)
            self.coordinator = Coordinator(self.store, now_ms)
            self.ledger = Ledger(self.store, self._write_marker, syncs=durability == "always")
            saved = self.store.topics()
            self._sweep(saved)
            for name, topic_id, partitions, config in saved:
                self._open_topic(name, topic_id, partitions, config)
            held.pop_all()
        self.disk = Disk(max_disk, self.log_bytes)
        self.traffic = Traffic()

    def create_topic(self, name: str, partitions: int, config: Mapping[str, str]) -> Topic:
        """A new topic, in the store before it is visible. Raises OSError, sqlite3.Error."""
        topic_id = uuid.uuid4()
        self.store.save_topic(name, topic_id, partitions, config)
        topic = self._open_topic(name, topic_id, partitions, config)
        if self.durability == "always":
            sync_folder(topic.directory)
            sync_folder(topic.directory.parent)
        return topic

    def delete_topic(self, topic: Topic) -> None:
        """Forget the topic and its committed offsets, then its folder. Raises OSError, sqlite3.Error."""
        going = _going(topic.directory)
        topic.directory.rename(going)
        try:
            self.store.delete_topic(topic.name)
        except sqlite3.Error:
            going.rename(topic.directory)
            raise
        del self.topics[topic.name], self.by_id[topic.id]
        for log in topic.logs:
            log.delete()
        shutil.rmtree(going, ignore_errors=True)

    def grow_topic(self, topic: Topic, partitions: int) -> None:
        self.store.save_topic(topic.name, topic.id, partitions, topic.config.own)
        self._open_logs(topic, partitions)

    def configure_topic(self, topic: Topic, config: Mapping[str, str]) -> None:
        self.store.save_topic(topic.name, topic.id, len(topic.logs), config)
        topic.config = TopicConfig(dict(config))

    def log_bytes(self) -> int:
        """What all logs hold together; a sum over what is in memory."""
        return sum(log.size for topic in self.topics.values() for log in topic.logs)

    def find(self, item: Any) -> tuple[Topic | None, ErrorCode]:
        """The topic that an item of a request names, or gives the id of; and what to say if there is none."""
        if hasattr(item, "topic_id"):
            return self.by_id.get(item.topic_id), ErrorCode.unknown_topic_id
        return self.topics.get(item.name), ErrorCode.unknown_topic_or_partition

    def log(self, topic: Topic | None, partition: int) -> Log | None:
        """The log of a partition, or None where there is none."""
        if topic is None or not 0 <= partition < len(topic.logs):
            return None
        return topic.logs[partition]

    def logs(self) -> Iterator[tuple[tuple[str, int], Log]]:
        """Every log by topic and partition."""
        for topic in tuple(self.topics.values()):
            for partition, log in enumerate(tuple(topic.logs)):
                yield (topic.name, partition), log

    async def settle(self) -> None:
        """Before anyone is served: end the transactions that were decided before the last process ended."""
        try:
            await self.ledger.settle(self.logs(), now_ms())
        except (OSError, LogFailed, sqlite3.Error) as error:  # upkeep tries again
            journal.note("transactions not settled", reason=str(error))

    def _write_marker(self, place: tuple[str, int], decided: Transaction, now: int) -> Log | None:
        topic = self.topics.get(place[0])
        log = self.log(topic, place[1])
        if topic is None or log is None or decided.producer_id not in log.isolation.open:
            return None
        data = marker(decided.producer_id, decided.epoch, commits=decided.commits, now=now)
        segment_bytes = topic.config.number("segment.bytes")
        log.append(data, read_batch(data), now, append_time=False, segment_bytes=segment_bytes)
        return log

    def close(self) -> None:
        """Checkpoint every log and release the folder."""
        self.coordinator.close()
        for topic in self.topics.values():
            for log in topic.logs:
                try:
                    log.close()
                except OSError as error:  # the next start reads the log instead of the checkpoint
                    journal.note("checkpoint failed", folder=log.directory, reason=str(error))
        self.store.close()
        os.close(self._lock)

    def _open_topic(
        self, name: str, topic_id: uuid.UUID, partitions: int, config: Mapping[str, str]
    ) -> Topic:
        topic = Topic(name, topic_id, TopicConfig(dict(config)), self._directory(name, topic_id))
        self._open_logs(topic, partitions)
        self.topics[name] = self.by_id[topic_id] = topic
        return topic

    def _open_logs(self, topic: Topic, partitions: int) -> None:
        for partition in range(len(topic.logs), partitions):
            log, dropped = Log.open(topic.directory / str(partition))
            topic.logs.append(log)
            for loss in dropped:
                self.recovered.append((topic.name, partition, loss))
                journal.note(
                    "dropped",
                    topic=topic.name,
                    partition=partition,
                    offset=loss.offset,
                    bytes=loss.bytes,
                    file=loss.file,
                    why="the tail of the log was torn or damaged; events before this offset are whole",
                )

    def _sweep(self, saved: Sequence[TopicRow]) -> None:
        """Finish or undo the deletions that the last process did not finish. Raises PlanError."""
        known = {self._directory(name, topic_id): partitions for name, topic_id, partitions, _ in saved}
        folder = self.data / "topics"
        for path in folder.iterdir() if folder.exists() else ():
            if path in known and not (path / str(known[path])).exists():
                continue
            if path.suffix != _GOING:
                raise PlanError(
                    "this data folder holds events of a topic or partition that the broker knows nothing of",
                    code="MESH-P107",
                    where=str(path),
                    why=f"{STORE_FILE} is missing, damaged, or older than the events beside it",
                    fix="restore the whole data folder from one copy, or move what is named here out of it",
                )
            if (directory := path.with_suffix("")) in known:
                path.rename(directory)
            else:
                shutil.rmtree(path, ignore_errors=True)

    def _directory(self, name: str, topic_id: uuid.UUID) -> Path:
        return self.data / "topics" / f"{name[:200]}.{topic_id.hex}"


def _going(directory: Path) -> Path:
    return directory.with_name(directory.name + _GOING)


def _hold(data: Path) -> int:
    """Lock the data folder for this process. Raises PlanError."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PlanError(
            f"the broker cannot use {data}",
            code="MESH-P101",
            where=str(data),
            why=error.strerror or str(error),
            fix="name a folder you can write to with --data",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        raise PlanError(
            "another broker is already running on this data folder",
            code="MESH-P102",
            where=str(data),
            why=f"process {holder} holds its lock",
            fix=f"use the running broker, stop it with `kill {holder}`, or name another folder with --data",
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock
