"""The quality worker as a process, on a real broker and platform: what it finds, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from mesh.adapters.http import Http
from mesh.codec import to_batch
from mesh.connection import Mesh
from mesh.declaration import Declaration, SourceFile, declare
from mesh.event import frame_prefix
from mesh_platform.brokers import RunningBroker
from mesh_platform.catalog.looking import Looking
from mesh_platform.processes import ManagedProcess, Program, json_line
from mesh_platform.quality.declared import ensure_declared
from mesh_platform.quality.results import CONTRACT_ID, PRODUCT, READABLE, read_results
from mesh_platform.quality.view import CheckView
from mesh_platform.quality.worker import GROUP
from tests.conformance.declared import CONTRACT, applied, fresh_name, platform_on
from tests.conformance.declared import PRODUCT as PRODUCT_FILE

PATIENCE_SECONDS = 60.0
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
QUALITY = """\
      - name: note
        logicalType: string
        description: What somebody noted.
        quality:
          - {name: noted, metric: nullValues, unit: percent, mustBeLessOrEqualTo: 10, severity: warning}
          - {name: judged by people, type: text, description: Notes are polite.}
"""
PARTITIONS = "      - {property: partitions, value: 2}\n"
COMPACT = (PARTITIONS, PARTITIONS + "      - {property: cleanupPolicy, value: compact}\n")
Worker = ManagedProcess[dict[str, object]]


@pytest.fixture(scope="module")
def mesh(embedded_broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with platform_on(embedded_broker.bootstrap, tmp_path_factory.mktemp("platform")) as connected:
        yield connected


def worker_of(mesh: Mesh, folder: Path, *arguments: str) -> Worker:
    where = mesh.settings
    environment = {
        "MESH_KAFKA_BOOTSTRAP": where.bootstrap,
        "MESH_PLATFORM_URL": where.platform_url,
        "MESH_TOKEN": where.token,
    }
    argv = [sys.executable, "-m", "mesh_platform.quality", "--every", "0.3", "--exit-with-parent", *arguments]
    return ManagedProcess(Program(name="quality", argv=argv, state_dir=folder, env=environment), json_line)


@pytest.fixture(scope="module")
def worker(mesh: Mesh, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with worker_of(mesh, tmp_path_factory.mktemp("worker")) as running:
        yield running


def declaration(name: str, *pairs: tuple[str, str]) -> Declaration:
    text = CONTRACT.format(name=name, version="1.0.0", more=QUALITY)
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    files = {
        f"contracts/tests/{name}.v1.odcs.yaml": text,
        f"domains/tests/{name}.odps.yaml": PRODUCT_FILE.format(name=name),
    }
    return declare(SourceFile(file, text.encode()) for file, text in files.items()).require()


def declared(mesh: Mesh, *pairs: tuple[str, str]) -> str:
    """A product with an empty topic."""
    name = fresh_name()
    applied(mesh, declaration(name, *pairs))
    return f"tests.{name}"


def readings(count: int, noted: int, first: int = 0) -> list[dict[str, Any]]:
    """Events of which the first `noted` have a note."""
    return [
        {
            "sensor": f"s-{first + n}",
            "at": BEGAN + timedelta(seconds=n),
            "celsius": 1.0,
            "note": "ok" if n < noted else None,
        }
        for n in range(count)
    ]


def publish(mesh: Mesh, product: str, events: Any) -> None:
    with mesh.publisher(product) as publisher:
        publisher.many(events)


def checks_of(mesh: Mesh, product: str) -> dict[str, CheckView]:
    return {check.name: check for check in read_results(mesh).product(f"{product}.v1").checks}


def soon(found: Callable[[], bool]) -> None:
    """Wait until it is so; fails when it does not become so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:g} s"
        time.sleep(0.2)


def looked_at(mesh: Mesh, product: str, rows: int) -> dict[str, CheckView]:
    """The checks of a product once its latest window has so many rows."""

    def there() -> bool:
        checks = checks_of(mesh, product)
        return "noted" in checks and checks["noted"].rows == rows

    soon(there)
    return checks_of(mesh, product)


def lag(mesh: Mesh, product: str) -> int | None:
    groups = Looking(mesh.settings.bootstrap).look().groups
    return next((g.lag for g in groups if g.group == GROUP and g.topic == f"{product}.v1"), None)


def test_a_failing_check_is_published_with_its_measure(mesh: Mesh, worker: Worker) -> None:
    product = declared(mesh)
    publish(mesh, product, readings(50, noted=40))

    check = looked_at(mesh, product, 50)["noted"]

    assert (check.status, check.failed_rows, check.severity) == ("failed", 10, "warning")
    assert check.message == "10 of 50 note are null (20 %), allowed ≤ 10 %."
    assert read_results(mesh).product(f"{product}.v1").health == "warning"


def test_what_people_judge_is_unknown_and_never_passed(mesh: Mesh, worker: Worker) -> None:
    product = declared(mesh)
    publish(mesh, product, readings(10, noted=10))

    checks = looked_at(mesh, product, 10)

    assert checks["judged by people"].status == "unknown"
    assert checks["noted"].status == "passed"


def test_events_that_a_foreign_client_published_past_the_rules_are_found(mesh: Mesh, worker: Worker) -> None:
    product = declared(mesh)
    port = mesh.port(product)
    schema_id = mesh.registry.schema_id(port.subject, port.schema)

    too_hot = to_batch([{**readings(1, 1)[0], "celsius": 999.0}], port.codec)
    producer = Producer({"bootstrap.servers": mesh.settings.bootstrap})
    for value in [*port.codec.encode(too_hot, frame_prefix(schema_id)), b"no frame"]:
        producer.produce(port.topic, value, b"s-1", partition=0)
    assert producer.flush(20) == 0

    checks = looked_at(mesh, product, 1)

    assert (checks["celsius is in range"].status, checks["celsius is in range"].failed_rows) == ("failed", 1)
    assert (checks[READABLE].status, checks[READABLE].failed_rows) == ("failed", 1)
    assert read_results(mesh).product(f"{product}.v1").health == "failing"


def test_a_compacted_topic_is_checked_as_the_table_it_is(mesh: Mesh, worker: Worker) -> None:
    product = declared(mesh, COMPACT)
    publish(mesh, product, readings(20, noted=20))
    looked_at(mesh, product, 20)

    publish(mesh, product, readings(2, noted=0, first=5) + readings(1, noted=1, first=20))

    checks = looked_at(mesh, product, 21)
    assert checks["noted"].failed_rows == 2


def test_a_position_without_lag_means_that_all_was_checked(mesh: Mesh, worker: Worker) -> None:
    product = declared(mesh)
    publish(mesh, product, readings(30, noted=30))
    looked_at(mesh, product, 30)

    soon(lambda: lag(mesh, product) == 0)


def test_the_results_are_a_declared_product_that_is_not_checked_itself(mesh: Mesh, worker: Worker) -> None:
    product = declared(mesh)
    publish(mesh, product, readings(5, noted=5))
    looked_at(mesh, product, 5)

    assert mesh.platform.port(PRODUCT).id == CONTRACT_ID
    assert read_results(mesh).product(CONTRACT_ID).health == "not checked"


def test_no_human_subscription_is_registered(mesh: Mesh, worker: Worker) -> None:
    http = Http(mesh.settings.platform_url, mesh.settings.token, name="platform")
    status, subscriptions = http.request("GET", "/api/v1/subscriptions")
    http.close()

    assert (status, [s for s in subscriptions if s["group"] == GROUP]) == (200, [])


def test_declaring_again_changes_nothing(mesh: Mesh, worker: Worker) -> None:
    before = mesh.platform.contract(CONTRACT_ID), mesh.registry.subject(f"{CONTRACT_ID}-value")

    ensure_declared(mesh)

    assert (mesh.platform.contract(CONTRACT_ID), mesh.registry.subject(f"{CONTRACT_ID}-value")) == before


def test_a_worker_that_was_killed_misses_no_event(mesh: Mesh, tmp_path: Path, worker: Worker) -> None:
    product = declared(mesh)
    publish(mesh, product, readings(40, noted=40))
    looked_at(mesh, product, 40)
    worker.kill()
    publish(mesh, product, readings(7, noted=0, first=100))

    worker.start()

    assert looked_at(mesh, product, 7)["noted"].status == "failed"


def test_a_new_version_of_a_contract_brings_its_own_checks(mesh: Mesh, worker: Worker) -> None:
    product = declared(mesh)
    publish(mesh, product, readings(4, noted=4))
    looked_at(mesh, product, 4)
    name = product.removeprefix("tests.")
    desired = declaration(name, ("version: 1.0.0", "version: 1.1.0"), ("name: noted", "name: always noted"))
    (changed,) = desired.contracts.values()
    document = changed.document
    proposal = mesh.platform.propose(document.file, document.text, "a clearer name")
    mesh.platform.decide(int(proposal["number"]), "approve", "yes", changed.sha256)

    def there() -> bool:
        publish(mesh, product, readings(1, noted=1))
        return "always noted" in checks_of(mesh, product)

    soon(there)
    assert "noted" not in checks_of(mesh, product)


def test_it_stops_cleanly_when_asked(mesh: Mesh, tmp_path: Path) -> None:
    worker = worker_of(mesh, tmp_path).start()

    assert worker.stop() == 0
    assert worker.program.log.read_text() == ""


def test_it_ends_with_whoever_started_it(mesh: Mesh, tmp_path: Path) -> None:
    program = worker_of(mesh, tmp_path).program
    child = subprocess.Popen(
        program.argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **program.env},
    )
    assert child.stdout is not None
    assert b"pid" in child.stdout.readline()

    _, errors = child.communicate(timeout=30)

    assert (child.returncode, errors) == (0, b"")


def test_a_window_that_makes_no_sense_is_refused(mesh: Mesh, tmp_path: Path) -> None:
    worker = worker_of(mesh, tmp_path, "--window", "0")
    worker.launch()
    deadline = time.monotonic() + 30
    while worker.running and time.monotonic() < deadline:
        time.sleep(0.05)

    assert worker.kill() == 2
    assert "MESH-U080" in worker.program.log.read_text()
