"""docker-compose.yml holds together: two services, both needed, loopback only, no secret of its own.

No Docker daemon is needed: docker-compose says that the file is valid, and each service's command is run on
this machine (Kafka's by tests/integration/test_kafka_jvm.py, the platform's here).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh_platform.kafka.jars import kafka_version
from mesh_platform.kafka.settings import Node, properties
from mesh_platform.processes import ManagedProcess, Program, free_port, supervised
from tests.conftest import require, unavailable

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
# Where a node is and how it is reached differ between a container and a laptop; nothing else may.
PLACES = {"listeners", "advertised.listeners", "listener.security.protocol.map", "log.dirs", "node.id"}
PLACES |= {"controller.quorum.voters"}


def resolve(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    argv = [require("docker-compose"), "--project-directory", str(ROOT), "-f", str(COMPOSE), "config", "-q"]
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return parsed


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


def test_docker_compose_accepts_the_file():
    done = resolve({"MESH_TOKEN_FILE": "/run/token"})
    assert (done.returncode, done.stderr) == (0, "")


def test_there_are_two_services_and_each_says_what_it_is_for(services):
    said = re.findall(r"^  # .*\n  (\w+):$", COMPOSE.read_text(), re.MULTILINE)
    assert set(services) == {"kafka", "platform"} <= set(said)


def test_the_platform_uses_kafka_and_waits_for_it(services):
    platform = services["platform"]
    assert platform["command"][-2:] == ["--bootstrap", "kafka:9092"]
    assert platform["depends_on"] == {"kafka": {"condition": "service_healthy"}}


def test_kafka_is_the_version_of_the_pom(services):
    assert services["kafka"]["image"] == f"apache/kafka:{kafka_version()}"


def test_kafka_has_the_settings_of_the_native_node(services):
    given = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in services["kafka"]["environment"].items()
        if name != "KAFKA_HEAP_OPTS"
    }
    node = Node(1, Path("/mesh"), 9092, 9093)
    native = dict(line.split("=", 1) for line in properties(node, [node]).splitlines())
    assert {k: v for k, v in given.items() if k not in PLACES} == {
        k: v for k, v in native.items() if k not in PLACES
    }


@pytest.mark.parametrize("service", ["kafka", "platform"])
def test_ports_are_published_on_loopback_only(services, service):
    published = services[service]["ports"]
    assert published
    assert all(str(port).startswith("127.0.0.1:") for port in published)


def test_clients_on_this_machine_are_sent_to_the_published_port(services):
    kafka = services["kafka"]
    [published] = kafka["ports"]
    _, outside, inside = published.split(":")
    assert f"HOST://localhost:{outside}" in kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")
    assert f"HOST://:{inside}" in kafka["environment"]["KAFKA_LISTENERS"].split(",")


@pytest.mark.parametrize("service", ["kafka", "platform"])
def test_every_service_keeps_its_state_in_a_volume_of_its_own(compose, services, service):
    assert [volume.split(":")[0] for volume in services[service]["volumes"]] == [service]
    assert service in compose["volumes"]


def test_records_are_kept_in_the_volume(services):
    assert services["kafka"]["volumes"] == [f"kafka:{services['kafka']['environment']['KAFKA_LOG_DIRS']}"]


def test_there_is_no_default_token():
    done = resolve({})
    assert done.returncode != 0
    assert "MESH_TOKEN_FILE" in done.stderr


def test_the_token_reaches_the_platform_as_a_file(compose, services):
    assert compose["secrets"]["mesh_token"]["file"].startswith("${MESH_TOKEN_FILE:?")
    assert services["platform"]["secrets"] == ["mesh_token"]
    assert services["platform"]["environment"] == {"MESH_TOKEN_FILE": "/run/secrets/mesh_token"}


@pytest.mark.parametrize("service", ["kafka", "platform"])
def test_services_run_without_privileges_and_are_checked_for_health(services, service):
    found = services[service]
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["healthcheck"]["test"][0] == "CMD"


def instructions() -> list[str]:
    """The Dockerfile's instructions, continued lines joined, without comments."""
    text = re.sub(r"\s*\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def installs(text: str) -> list[str]:
    """The `pip install` commands in a text, however pip is called."""
    found = re.findall(r"pip install (-.+?)\s*(?:$|&&)", text.replace("`", "\n"), re.MULTILINE)
    return [" ".join(arguments.split()) for arguments in found]


def test_the_image_is_installed_as_a_laptop_is():
    guides = [ROOT / "README.md", ROOT / "Makefile"]
    told = installs("\n".join(guide.read_text() for guide in guides if guide.is_file()))
    if not told:
        unavailable("neither README.md nor Makefile says how to install")
    done = installs("\n".join(instructions()))
    assert done == [
        "--require-hashes -r requirements/build.txt",
        "--require-hashes -r requirements/run.txt",
        "--no-deps --no-build-isolation .",
    ]
    assert set(done) <= set(told)


def test_the_image_runs_as_a_user_without_rights():
    users = [line.split()[1] for line in instructions() if line.startswith("USER ")]
    assert users == ["mesh"]
    last = max(n for n, line in enumerate(instructions()) if line.startswith(("RUN", "COPY", "ADD")))
    assert instructions().index("USER mesh") > last


def test_only_named_files_go_into_the_image():
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in ("#", "")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {source for line in instructions() if line.startswith("COPY ") for source in line.split()[1:-1]}
    assert allowed == copied
    assert all((ROOT / path).exists() for path in allowed)


def mesh_command() -> str:
    beside = Path(sys.executable).with_name("mesh")
    path = str(beside) if beside.exists() else shutil.which("mesh")
    if path is None or subprocess.run([path, "serve", "--help"], capture_output=True, timeout=60).returncode:
        return unavailable("`mesh serve` is not installed")
    return path


def test_the_platforms_command_and_health_check_work_on_this_machine(services, embedded_broker, tmp_path):
    mesh, port = mesh_command(), free_port()
    here = {"mesh": mesh, "0.0.0.0": "127.0.0.1", "8080": str(port)}
    here |= {"/var/lib/mesh": str(tmp_path / "state"), "kafka:9092": embedded_broker.bootstrap}
    argv = [here.get(word, word) for word in services["platform"]["command"]]
    token = tmp_path / "token"
    token.write_text("a token of this test, long enough to be one\n")
    token.chmod(0o600)
    program = Program(
        name="platform", argv=supervised(argv), state_dir=tmp_path, env={"MESH_TOKEN_FILE": str(token)}
    )

    def healthy(_: Program) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                body: str = answer.read().decode()
                return body
        except OSError:
            return None

    with ManagedProcess(program, healthy):
        _, python, *rest = services["platform"]["healthcheck"]["test"]
        assert python == "python"
        check = [word.replace(":8080/", f":{port}/") for word in rest]
        assert subprocess.run([sys.executable, *check], timeout=30).returncode == 0
