"""The pytest plugin: the fixtures `kafka`, `kafka_topic`, `kafka_options` and `whole_mesh`.

pytest loads this module in every session of everybody who has mesh installed, so it imports nothing that
pytest has not imported already, and starts nothing that no test asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from mesh.connection import Mesh
    from mesh.testing.broker import Broker


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "mesh_kafka_fsync", "kafka fixture: when a write counts as done: os or always", default="os"
    )
    parser.addini(
        "mesh_kafka_auto_create_topics",
        "kafka fixture: create a topic when a client names it",
        type="bool",
        default=False,
    )
    parser.addini(
        "mesh_kafka_arguments", "kafka fixture: more arguments of the broker", type="args", default=[]
    )


@pytest.fixture(scope="session")
def kafka_options(pytestconfig: pytest.Config) -> Mapping[str, Any]:
    """How the `kafka` fixture starts its broker, from the ini file; override it in a conftest.py."""
    names = ("fsync", "auto_create_topics", "arguments")
    return {name: pytestconfig.getini(f"mesh_kafka_{name}") for name in names}


@pytest.fixture(scope="session")
def kafka(kafka_options: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka broker of this session; with pytest-xdist, of this worker."""
    from mesh.testing.broker import start_broker

    with start_broker(tmp_path_factory.mktemp("kafka"), **kafka_options) as broker:
        yield broker


@pytest.fixture
def kafka_topic(kafka: Broker, request: pytest.FixtureRequest) -> str:
    """The name of a new topic with one partition; starts the broker again if a test before left it dead."""
    if not kafka.running:
        kafka.restart()
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name).strip("-")[:60]
    return kafka.topic(f"{readable}-{uuid4().hex[:8]}")


@pytest.fixture(scope="session")
def whole_mesh(
    kafka: Broker, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mesh]:
    """A mesh of this session, connected: a platform over `kafka`, with what is declared here applied."""
    from mesh.testing.whole import start_mesh

    with start_mesh(kafka, tmp_path_factory.mktemp("mesh"), declared=pytestconfig.rootpath) as mesh:
        yield mesh
