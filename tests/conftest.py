"""What every test may ask for: a broker, a topic name of its own, and the programs that real ones need.

Skip at home, fail in CI: a test whose program is missing says so and is skipped on a laptop; where `CI` is
set it fails, so the suite cannot rot in silence.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from uuid import uuid4

import hypothesis
import pytest

from mesh_platform.brokers import RunningBroker, start_embedded, start_kafka

#: Virtual machines that live for seconds are not worth optimising: a Kafka starts in 3 s instead of 4.
os.environ.setdefault("KAFKA_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

# No test asserts a time: beside a JVM that starts, any example may take a second.
hypothesis.settings.register_profile("mesh", deadline=None)
hypothesis.settings.load_profile("mesh")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A failure is named when it happens, not at the end of all."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\n{report.when} of {report.nodeid} failed", file=sys.stderr, flush=True)


def require(program: str, *alternatives: str) -> str:
    """The path of the first of these programs that is installed; without any, skip at home and fail in CI."""
    for name in (program, *alternatives):
        if path := shutil.which(name):
            return path
    return unavailable(f"{program} is not installed")


def unavailable(reason: str) -> str:
    """Skip this test at home, fail it in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and in CI that is a failure", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium browser."""
    return require("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def java() -> str:
    """The path of `java`, where Maven is installed too."""
    require("mvn")
    return require("java")


@pytest.fixture(scope="session")
def embedded_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    """One embedded broker for all tests of this worker; use `topic_name` to keep out of each other's way."""
    with start_embedded(tmp_path_factory.mktemp("embedded")) as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka_broker(java: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    """One real Apache Kafka node for all tests of this worker; its tests carry the `kafka` marker."""
    with start_kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture(scope="session", params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def broker(request: pytest.FixtureRequest) -> RunningBroker:
    """Each broker in turn: the same sentences must hold on both. `.bootstrap` is where clients connect."""
    running: RunningBroker = request.getfixturevalue(f"{request.param}_broker")
    return running


@pytest.fixture
def topic_name(request: pytest.FixtureRequest) -> str:
    """A topic name of the mesh that no other test uses."""
    product = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40].strip("-")
    return f"tests.{product}-{uuid4().hex[:12]}.v1"


#: Folders whose modules each set up something that takes seconds.
ONE_WORKER_A_MODULE = ("clients", "e2e")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares something heavy runs in one worker: one Kafka for each folder of tests, one browser."""
    for item in items:
        if item.get_closest_marker("kafka") or "kafka_broker" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(f"kafka-{item.path.parent.name}"))
        elif "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("browser"))
        elif item.path.parent.name in ONE_WORKER_A_MODULE and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server of this worker."""
    from tests.postgres_server import postgres_server

    with postgres_server() as address:
        yield address
