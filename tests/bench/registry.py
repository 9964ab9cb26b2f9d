"""The registry and the log behind it: reads, registrations, cold starts with a hundred thousand versions."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mesh_platform.log import SqliteLog
from mesh_platform.log.snapshot import write_snapshot
from mesh_platform.snapshots import FILE, mark_of
from mesh_platform.views import Views
from tests.bench.measuring import Figure

SUBJECTS, VERSIONS = 10_000, 10
READS, REGISTRATIONS, ROUNDS = 5_000, 500, 3
JSON = "application/vnd.schemaregistry.v1+json"


def schema(subject: int, fields: int) -> str:
    """A record that differs from every other, of 100 to 1,000 characters; a longer one follows a shorter."""
    added = (
        {"name": f"added_in_{n}", "type": ["null", "string"], "default": None, "doc": "It came later."}
        for n in range(fields)
    )
    return json.dumps(
        {
            "type": "record",
            "name": f"Event{subject}",
            "namespace": "bench",
            "fields": [{"name": "id", "type": "string"}, *added],
        }
    )


def fill(state: Path) -> None:
    """A state folder as a platform leaves it that has registered everything: a control log and its snapshot.

    The schemas are imported, so that nothing but their storage is paid for here.
    """
    log, views = SqliteLog(state / "control.db"), Views()
    with log.together():
        _write(log, views, "registry.set-mode", {"mode": "IMPORT"})
        for subject in range(SUBJECTS):
            for version in range(VERSIONS):
                body = {
                    "subject": f"subject-{subject}-value",
                    "schema": schema(subject, version),
                    "id": subject * VERSIONS + version + 1,
                    "version": version + 1,
                }
                _write(log, views, "registry.register", body)
        _write(log, views, "registry.set-mode", {"mode": "READWRITE"})
    write_snapshot(state / FILE, mark_of(views), views.snapshot())
    log.close()


def registry(state: Path) -> list[Figure]:
    """Figures of one platform process; a client on the other core asks, one request after the other."""
    fill(state)
    starts, memory = [], []
    for _ in range(ROUNDS):
        with served(state) as platform:
            starts.append(platform.seconds)
            memory.append(platform.megabytes)
    with served(state) as platform:
        reads = [_reads(platform) for _ in range(ROUNDS)]
        latencies = sorted(_registrations(platform))
    p99 = latencies[len(latencies) * 99 // 100]
    what = f"{SUBJECTS:,} subjects, {SUBJECTS * VERSIONS:,} versions"
    return [
        _figure("reads by id, one client", reads, "/s", "≥ 2,000 /s on one core"),
        _figure("register a new version, p99", [p99], "s", "≤ 50 ms"),
        _figure(f"cold start with {what}, until it serves", starts, "s", "≤ 2 s"),
        _figure(f"memory with {what}", memory, "MB", "< 300 MB"),
    ]


@dataclass(frozen=True, slots=True)
class Served:
    """A platform process that serves."""

    url: str
    token: str
    pid: int
    seconds: float

    @property
    def megabytes(self) -> float:
        """The most memory it ever had."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1000

    def ask(self, connection: HTTPConnection, method: str, path: str, body: str | None = None) -> Any:
        """One request; raises RuntimeError unless it is granted."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": JSON}
        connection.request(method, f"/registry{path}", body, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(answer.decode())
        return json.loads(answer)

    def connection(self) -> HTTPConnection:
        """A connection that is kept open."""
        where = urlsplit(self.url)
        assert where.hostname is not None
        return HTTPConnection(where.hostname, where.port)


@contextmanager
def served(state: Path) -> Iterator[Served]:
    """A platform over the state folder, from its start until it has answered; there is no broker."""
    argv = [sys.executable, "-m", "mesh.cli", "serve", "--state", str(state), "--port", "0", "--no-quality"]
    env = {**os.environ, "MESH_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    began = time.perf_counter()
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        token = (state / "token").read_text().strip()
        platform = Served(url, token, process.pid, 0)
        connection = platform.connection()
        platform.ask(connection, "GET", "/schemas/ids/1")
        connection.close()
        yield Served(url, token, process.pid, time.perf_counter() - began)
        process.kill()


def _reads(platform: Served) -> float:
    connection = platform.connection()
    began = time.perf_counter()
    for n in range(READS):
        platform.ask(connection, "GET", f"/schemas/ids/{n * 17 % (SUBJECTS * VERSIONS) + 1}")
    seconds = time.perf_counter() - began
    connection.close()
    return READS / seconds


def _registrations(platform: Served) -> Iterator[float]:
    connection = platform.connection()
    for n in range(REGISTRATIONS):
        body = json.dumps({"schema": schema(n, VERSIONS)})
        began = time.perf_counter()
        platform.ask(connection, "POST", f"/subjects/subject-{n}-value/versions", body)
        yield time.perf_counter() - began
    connection.close()


def _write(log: SqliteLog, views: Views, kind: str, body: dict[str, Any]) -> None:
    record = log.append(time="2026-01-01T00:00:00.000+00:00", actor="bench", kind=kind, body=body)
    outcome = views.apply(record)
    if not isinstance(outcome, dict):
        raise TypeError(f"{kind} was refused: {outcome}")


def _figure(name: str, rounds: list[float], unit: str, target: str) -> Figure:
    shown = tuple(round(value, 4) for value in rounds)
    return Figure("registry", name, statistics.median(rounds), unit, shown, target=target)
