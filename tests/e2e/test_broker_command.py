"""`mesh broker`: run, status, stop, as somebody would type them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from mesh.errors import MeshError
from mesh_platform import broker_cli


@dataclass
class Terminal:
    """Commands on one state folder."""

    state: Path

    @property
    def env(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MESH_")}
        return {**clean, "MESH_STATE": str(self.state)}

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mesh.cli", "broker", *argv]
        return subprocess.run(
            command, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )

    def start(self, *argv: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        command = [sys.executable, "-m", "mesh.cli", "broker", "run", "--port", "0", *argv]
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command, env=self.env, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        return process, json.loads(line)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "state")


@pytest.fixture
def running(terminal: Terminal) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process, ready = terminal.start()
    yield process, ready
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.communicate()


Running = tuple[subprocess.Popen[str], dict[str, Any]]


def presence(terminal: Terminal) -> dict[str, Any]:
    """What `status --json` says once the broker has told of itself."""
    while (told := terminal.run("status", "--json")).returncode == 4:
        assert "MESH-X016" in told.stderr
    facts: dict[str, Any] = json.loads(told.stdout)
    return facts


def test_it_serves_an_official_client_and_says_where(terminal: Terminal, running: Running) -> None:
    _, ready = running
    admin = AdminClient({"bootstrap.servers": f"{ready['host']}:{ready['port']}"})
    admin.create_topics([NewTopic("t", 2, 1)])["t"].result(10)
    producer = Producer({"bootstrap.servers": f"{ready['host']}:{ready['port']}"})
    producer.produce("t", b"event")
    assert producer.flush(10) == 0
    facts = presence(terminal)
    assert facts["format_version"] == "1.0"
    assert facts["data"] == str(terminal.state / "broker")
    assert (facts["pid"], facts["port"]) == (ready["pid"], ready["port"])
    assert {"started", "version", "bytes", "topics", "partitions", "connections", "groups"} <= set(facts)


def test_status_for_people_has_a_line_per_fact(terminal: Terminal, running: Running) -> None:
    presence(terminal)
    told = terminal.run("status").stdout
    assert re.search(r"^port +\d+$", told, re.MULTILINE)
    assert re.search(r"^bytes +0 B$", told, re.MULTILINE)


def test_stop_ends_it_and_waits_for_it(terminal: Terminal, running: Running) -> None:
    process, _ = running
    ended = terminal.run("stop")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "stopped\n")
    _, journal = process.communicate(timeout=10)
    assert (process.returncode, [json.loads(line)["event"] for line in journal.splitlines()]) == (
        0,
        ["stopping"],
    )
    assert terminal.run("status").returncode == 4


def test_ctrl_c_ends_it_with_0(running: Running) -> None:
    process, _ = running
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_where_none_runs_status_exits_with_4_and_stop_with_0(terminal: Terminal) -> None:
    status, stop = terminal.run("status"), terminal.run("stop")
    assert (status.returncode, "MESH-X016" in status.stderr, status.stdout) == (4, True, "")
    assert (stop.returncode, stop.stderr) == (0, "no broker runs here\n")
    assert not terminal.state.exists()


def test_a_second_one_on_the_folder_is_refused(terminal: Terminal, running: Running) -> None:
    second = terminal.run("run", "--port", "0")
    assert (second.returncode, second.stdout) == (1, "")
    assert "MESH-P102" in second.stderr


def test_it_is_not_open_to_everyone_unasked(terminal: Terminal) -> None:
    ended = terminal.run("run", "--host", "0.0.0.0", "--port", "0")
    assert (ended.returncode, "MESH-P104" in ended.stderr) == (1, True)


@pytest.mark.parametrize("wrong", [("--max-disk", "20GB"), ("--fsync", "never"), ("--fsync-ms", "0")])
def test_an_option_that_cannot_be_is_a_usage_error(terminal: Terminal, wrong: tuple[str, str]) -> None:
    ended = terminal.run("run", *wrong)
    assert (ended.returncode, "MESH-U001" in ended.stderr, "Traceback" in ended.stderr) == (2, True, False)


def test_options_reach_the_broker(terminal: Terminal) -> None:
    options = ("--fsync", "interval", "--fsync-ms", "50", "--max-disk", "1GiB", "--metrics-port", "0")
    process, ready = terminal.start(*options)
    try:
        assert ready["metrics_port"] > 0
    finally:
        assert terminal.run("stop").returncode == 0
        process.communicate(timeout=10)


def test_a_broker_that_hangs_is_said_not_to_answer_and_not_to_stop(
    terminal: Terminal, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, _ = running
    presence(terminal)
    process.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(broker_cli, "_ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(broker_cli, "_STOP_SECONDS", 0.2)
    folder = terminal.state / "broker"
    with pytest.raises(MeshError, match="does not answer") as silent:
        broker_cli.status(folder)
    with pytest.raises(MeshError, match="has not stopped") as stubborn:
        broker_cli.stop(folder)
    assert (silent.value.error_code, silent.value.exit_code) == ("MESH-X017", 4)
    assert (stubborn.value.error_code, stubborn.value.exit_code) == ("MESH-P108", 1)
