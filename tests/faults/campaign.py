"""A campaign: load, kills, rest, a last kill, a last read, and every check on what came of it."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.faults import load
from tests.faults.checks import Final, Finding, History, Record, verify
from tests.faults.history import Place, read
from tests.faults.kills import Kill
from tests.faults.nemesis import Broker

_SETTINGS = {
    load.LOG: {"segment.bytes": "1048576", "retention.ms": "-1"},
    load.TXN: {"segment.ms": "700", "retention.ms": "-1"},
    load.TABLE: {
        "cleanup.policy": "compact",
        "segment.ms": "150",
        "min.cleanable.dirty.ratio": "0",
        "delete.retention.ms": "300",
    },
    load.SLOTS: {},
}


@dataclass
class Report:
    """What a campaign did and found."""

    seed: int
    ends: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    restart_median: float = 0.0
    restart_max: float = 0.0
    dropped: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def found(self) -> Counter[str]:
        return Counter(finding.check for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        said = {
            name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()
        }
        return said | {"found": dict(self.found), "findings": [asdict(finding) for finding in self.findings]}

    @property
    def acknowledged(self) -> int:
        return self.said["send ok"] + self.said["put ok"] + self.said["txn ok"]


def campaign(
    folder: Path,
    *,
    seed: int,
    kills: Sequence[Kill],
    workers: Sequence[str] = tuple(load.WORKERS),
    broken: str | None = None,
) -> Report:
    """Run one; histories stay in the folder. Raises RuntimeError when the broker or a worker fails."""
    report = Report(seed)
    broker = Broker(folder / "data", broken)
    try:
        broker.start()
        _make_topics(broker.bootstrap)
        with _working(folder, broker.bootstrap, workers, seed):
            for kill in kills:
                broker.kill()
                broker.start(kill)
                report.ends[broker.end(kill)] += 1
            broker.start()
        broker.kill()
        broker.start_at_rest()
        final = final_read(broker.bootstrap)
    finally:
        broker.kill()
    history = read(sorted(folder.glob("*.history")))
    report.said.update(f"{line.f} {line.type}" for line in history)
    report.dropped = len(broker.recovered)
    report.restart_median, report.restart_max = statistics.median(broker.starts), max(broker.starts)
    report.findings = verify(history, final) + unfinished(history)
    return report


def unfinished(history: History) -> list[Finding]:
    """Idempotent producers that died, and sends whose outcome they never learned: no kill may do that."""
    unknown = [line for line in history if line.type == "info" and line.f in ("send", "put", "fatal")]
    return [Finding("unfinished", f"{line.v} at {line.place}", line.t) for line in unknown]


@contextmanager
def _working(folder: Path, bootstrap: str, workers: Sequence[str], seed: int) -> Iterator[None]:
    """Workers, told to finish at the end and waited for."""
    running: list[subprocess.Popen[bytes]] = []
    for number, worker in enumerate(workers):
        command = [sys.executable, "-m", "tests.faults.load", worker, "--bootstrap", bootstrap]
        command += ["--history", str(folder / f"{worker}.history"), "--seed", str(seed + number)]
        with (folder / f"{worker}.stderr").open("wb") as errors:
            running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stderr=errors))
    try:
        _await(lambda: all(_has_begun(folder / f"{worker}.history") for worker in workers))
        yield
        for process in running:
            assert process.stdin is not None
            process.stdin.close()
        for worker, process in zip(workers, running, strict=True):
            if process.wait(100):
                raise RuntimeError(f"{worker} failed: {(folder / f'{worker}.stderr').read_text()[-3000:]}")
    finally:
        for process in running:
            process.kill()
            process.wait(10)


def _has_begun(history: Path) -> bool:
    """Whether a worker has been told the outcome of something."""
    return history.exists() and any(f'"{told}"' in history.read_text() for told in ("ok", "fail"))


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("the workers do not begin")
        time.sleep(0.05)


def _make_topics(bootstrap: str) -> None:
    topics = [NewTopic(name, load.PARTITIONS[name], 1, config=own) for name, own in _SETTINGS.items()]
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for made in admin.create_topics(topics).values():
        made.result(20)


def final_read(bootstrap: str) -> Final:
    """Everything that is committed, from the beginning of every partition to its end."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    return Final(
        records=_read(bootstrap, (load.LOG, load.TXN, load.TABLE)),
        commits={
            (group, place.topic, place.partition): place.offset
            for group in (load.READERS, load.COPIERS, load.KEEPERS)
            for place in _positions(admin, group)
            if place.offset >= 0
        },
        topics=frozenset(admin.list_topics(timeout=20).topics),
    )


def _read(bootstrap: str, topics: Sequence[str]) -> dict[Place, list[Record]]:
    settings: dict[str, Any] = {
        "bootstrap.servers": bootstrap,
        "group.id": "final",
        "isolation.level": "read_committed",
    }
    settings |= {"enable.partition.eof": True, "auto.offset.reset": "error", "check.crcs": True}
    consumer = Consumer(settings)
    found: dict[Place, list[Record]] = {
        (topic, partition): [] for topic in topics for partition in range(load.PARTITIONS[topic])
    }
    unread = set(found)
    consumer.assign([TopicPartition(*place, 0) for place in found])
    deadline = time.monotonic() + 120
    try:
        while unread and time.monotonic() < deadline:
            for message in consumer.consume(2000, 0.1):
                place = (message.topic(), message.partition())
                if error := message.error():
                    if error.code() != KafkaError._PARTITION_EOF:
                        raise RuntimeError(f"{place} cannot be read: {error}")
                    unread.discard(place)
                else:
                    found[place].append(
                        Record(message.offset(), _text(message.key()), _text(message.value()))
                    )
    finally:
        consumer.close()
    if unread:
        raise RuntimeError(f"{sorted(unread)} cannot be read to the end")
    return found


def _text(blob: bytes | None) -> str | None:
    return blob if blob is None else blob.decode()


def _positions(admin: AdminClient, group: str) -> list[TopicPartition]:
    asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
    return list(asked[group].result(20).topic_partitions)
