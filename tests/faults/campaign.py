"""A campaign: load, kills, rest, a last kill, a last read, and every check on what came of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from mesh_platform.chaos.checks import CHECKS, unfinished, verify
from mesh_platform.chaos.final import Final, committed, read_committed
from mesh_platform.chaos.history import Line, read
from mesh_platform.chaos.kills import Kill
from mesh_platform.chaos.report import Report
from tests.faults import load
from tests.faults.nemesis import Broker

_PLACES = [(topic, number) for topic, count in load.PARTITIONS.items() for number in range(count)]
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
    history = read(sorted(folder.glob("*.history")), Line)
    report.said.update(f"{line.f} {line.type}" for line in history)
    report.acknowledged = sum(report.said[f"{f} ok"] for f in ("send", "put", "txn"))
    report.figures["torn tails dropped, none of it acknowledged"] = len(broker.recovered)
    report.started(broker.starts)
    report.checks = (*(check.__name__ for check in CHECKS), unfinished.__name__)
    report.findings = verify(history, final, (*CHECKS, unfinished))
    return report


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
        records=read_committed(bootstrap, [place for place in _PLACES if place[0] != load.SLOTS]),
        commits=committed(bootstrap, (load.READERS, load.COPIERS, load.KEEPERS)),
        topics=frozenset(admin.list_topics(timeout=20).topics),
    )
