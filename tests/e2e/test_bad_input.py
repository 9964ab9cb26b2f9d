"""Bad input ends in one clear message with code, place, cause and next command; never in a traceback."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh_platform.processes import ManagedProcess, Program, free_port, json_line

ROOT = Path(__file__).resolve().parents[2]
DEPARTURES = (ROOT / "contracts/operations/departures.v1.odcs.yaml").read_text()


def mesh(*argv: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MESH_")}
    return subprocess.run(
        [sys.executable, "-m", "mesh.cli", *argv],
        cwd=cwd,
        env={**clean, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def told(done: subprocess.CompletedProcess[str]) -> str:
    """Everything it said; asserts that it ended as bad input must."""
    said = done.stdout + done.stderr
    assert done.returncode not in (0, None), said
    assert "Traceback" not in said
    return said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "contracts").mkdir()
    return tmp_path


def check(folder: Path, text: str | bytes) -> str:
    file = folder / "contracts" / "departures.v1.odcs.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return told(mesh("check", "contracts", cwd=folder))


def test_a_malformed_contract_is_named_with_line_and_column(folder: Path) -> None:
    said = check(folder, "id: [1, 2\nname: x\n")
    assert "contracts/departures.v1.odcs.yaml:2:" in said
    assert "MESH-C012" in said
    assert "next:" in said


def test_an_unknown_key_is_named_with_what_was_meant(folder: Path) -> None:
    line = DEPARTURES.split("\n").index("version: 1.0.0") + 1
    said = check(folder, DEPARTURES.replace("version: 1.0.0", "versoin: 1.0.0", 1))
    assert f"departures.v1.odcs.yaml:{line}:1: MESH-C022 unknown key 'versoin'" in said
    assert "did you mean 'version'?" in said


def test_a_wrong_type_is_named_with_what_was_expected(folder: Path) -> None:
    said = check(folder, DEPARTURES.replace("required: true", "required: perhaps", 1))
    assert "MESH-C023" in said
    assert "must be a boolean, found text" in said


def test_a_yaml_bomb_is_refused_before_it_grows(folder: Path) -> None:
    levels = "\n".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 30))
    said = check(folder, f"a0: &a0 x\n{levels}\n")
    assert "departures.v1.odcs.yaml:2:10: MESH-C014" in said


def test_nesting_without_end_is_refused(folder: Path) -> None:
    assert "MESH-C016" in check(folder, "[" * 100_000)


def test_bytes_that_are_no_text_are_refused(folder: Path) -> None:
    assert "MESH-C011" in check(folder, b"\xff\xfe\x00id: x")


def test_a_path_that_is_not_there_is_a_usage_error(folder: Path) -> None:
    done = mesh("check", "nowhere/at-all", cwd=folder)
    assert "MESH-U020" in told(done)
    assert done.returncode == 2


def test_an_unknown_option_is_a_usage_error() -> None:
    done = mesh("check", "--nonsense")
    assert "--nonsense" in told(done)
    assert done.returncode == 2


def test_findings_for_machines_are_one_json_document(folder: Path) -> None:
    (folder / "contracts" / "x.odcs.yaml").write_text("id: x\n")
    done = mesh("check", "--json", cwd=folder)
    assert done.returncode == 1
    assert {finding["code"] for finding in json.loads(done.stdout)["findings"]} == {"MESH-C021"}


def test_no_mesh_running_says_how_to_start_one(folder: Path) -> None:
    done = mesh("products", cwd=folder)
    assert "next: mesh up" in told(done)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A platform whose broker is not there; answers the settings that lead to it."""
    state, nobody = tmp_path / "state", f"127.0.0.1:{free_port()}"
    argv = [sys.executable, "-m", "mesh.cli", "serve", "--state", str(state), "--port", "0", "--no-quality"]
    argv += ["--bootstrap", nobody, "--exit-with-parent"]
    with ManagedProcess(Program(name="platform", argv=argv, state_dir=tmp_path), json_line) as process:
        token = (state / "token").read_text().strip()
        yield {
            "MESH_PLATFORM_URL": str(process.ready["url"]),
            "MESH_KAFKA_BOOTSTRAP": nobody,
            "MESH_TOKEN": token,
        }


@pytest.mark.timeout(60)
def test_a_broker_that_is_down_is_said_to_be_down(platform: dict[str, str]) -> None:
    done = mesh("plan", env=platform)
    said = told(done)
    assert f"{platform['MESH_KAFKA_BOOTSTRAP']}: MESH-X001 no Kafka broker answers" in said
    assert done.returncode == 4


def test_a_platform_that_is_down_is_said_to_be_down() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    done = mesh("reviews", env={"MESH_PLATFORM_URL": nobody, "MESH_KAFKA_BOOTSTRAP": "127.0.0.1:1"})
    assert f"{nobody}: MESH-X002" in told(done)
    assert done.returncode == 4


def test_a_wrong_token_is_refused(platform: dict[str, str]) -> None:
    said = told(mesh("reviews", env={**platform, "MESH_TOKEN": "wrong"}))
    assert "MESH-S401" in said


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = mesh("up", "--state", str(tmp_path / "state"), "--port", str(port))
        said = told(done)
    assert f"127.0.0.1:{port}" in said
    assert "MESH-X014" in said


def test_an_address_beyond_this_machine_needs_a_token_of_ones_own(tmp_path: Path) -> None:
    done = mesh("serve", "--state", str(tmp_path), "--host", "0.0.0.0", "--bootstrap", "127.0.0.1:1")
    assert "MESH-U052" in told(done)
    assert "MESH_TOKEN_FILE" in done.stderr


def test_a_full_disk_is_named_and_nothing_is_half_done(tmp_path: Path) -> None:
    """The limit on file sizes stands in for a full disk: both refuse the write."""

    def no_space() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, 8_192))

    state = tmp_path / "state"
    argv = [
        sys.executable,
        "-m",
        "mesh.cli",
        "serve",
        "--state",
        str(state),
        "--bootstrap",
        "127.0.0.1:1",
        "--port",
        "0",
    ]
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, preexec_fn=no_space
    )
    said = told(done)
    assert "space" in said or "full" in said
    assert "next:" in said


def test_a_second_mesh_on_the_same_state_is_refused(tmp_path: Path) -> None:
    argv = [
        sys.executable,
        "-m",
        "mesh.cli",
        "serve",
        "--state",
        str(tmp_path / "s"),
        "--port",
        "0",
        "--no-quality",
    ]
    argv += ["--bootstrap", "127.0.0.1:1", "--exit-with-parent"]
    with ManagedProcess(Program(name="first", argv=argv, state_dir=tmp_path), json_line):
        done = mesh("serve", "--state", str(tmp_path / "s"), "--port", "0", "--bootstrap", "127.0.0.1:1")
    assert "MESH-S010" in told(done)


def test_the_demo_leaves_a_folder_alone_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    assert "MESH-U062" in told(mesh("demo", "--state", str(tmp_path)))
    assert (tmp_path / "precious").read_text() == "keep"
