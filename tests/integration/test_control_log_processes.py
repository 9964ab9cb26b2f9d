"""`mesh serve --control-log kafka`: platform processes that share one log, and one that may not start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from mesh_platform.brokers import RunningBroker
from tests.conformance.control_logs import eventually


@dataclass
class Served:
    """A platform process, asked over HTTP."""

    process: subprocess.Popen[str]
    http: httpx2.Client

    def register(self, subject: str) -> Any:
        schema = json.dumps({"type": "record", "name": subject.title(), "fields": []})
        answer = self.http.post(f"/registry/subjects/{subject}/versions", json={"schema": schema})
        return answer.json()["id"]

    def subjects(self) -> Any:
        return self.http.get("/registry/subjects").json()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def command(bootstrap: str, state: Path) -> list[str]:
    argv = [sys.executable, "-m", "mesh.cli", "serve", "--bootstrap", bootstrap, "--state", str(state)]
    return [*argv, "--port", "0", "--no-quality", "--control-log", "kafka"]


@contextmanager
def served(bootstrap: str, state: Path, topic: str) -> Iterator[Served]:
    environment = {**os.environ, "MESH_CONTROL_TOPIC": topic}
    argv = [*command(bootstrap, state), "--exit-with-parent"]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            headers = {"Authorization": f"Bearer {(state / 'token').read_text().strip()}"}
            with httpx2.Client(base_url=url, headers=headers, timeout=20) as http:
                yield Served(process, http)
        finally:
            process.kill()


@pytest.fixture
def topic() -> str:
    return f"__control_{uuid4().hex[:12]}"


def test_two_processes_share_one_log_and_one_goes_on_without_the_other(
    embedded_broker: RunningBroker, tmp_path: Path, topic: str
) -> None:
    bootstrap = embedded_broker.bootstrap
    with ExitStack() as stack:
        one, two = (stack.enter_context(served(bootstrap, tmp_path / n, topic)) for n in ("one", "two"))
        assert [one.register("a"), two.register("b")] == [1, 2]
        eventually(lambda: one.subjects() == two.subjects() == ["a", "b"])
        one.kill()
        assert two.register("c") == 3
        again = stack.enter_context(served(bootstrap, tmp_path / "one", topic))
        assert again.subjects() == ["a", "b", "c"]
        assert again.register("d") == 4
        assert two.http.get("/health").json()["control_log"] is True


def test_a_topic_that_would_lose_records_is_refused_with_what_to_do(
    embedded_broker: RunningBroker, tmp_path: Path, topic: str
) -> None:
    admin = AdminClient({"bootstrap.servers": embedded_broker.bootstrap})
    admin.create_topics([NewTopic(topic, 3, 1)])[topic].result(10)
    environment = {**os.environ, "MESH_CONTROL_TOPIC": topic}
    ended = subprocess.run(
        command(embedded_broker.bootstrap, tmp_path),
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "MESH-S020" in ended.stderr
    assert "3 partitions" in ended.stderr
    assert "MESH_CONTROL_TOPIC" in ended.stderr
