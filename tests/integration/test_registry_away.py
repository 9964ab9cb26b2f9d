"""Publishers and subscribers while the registry is away, and whole registries moved by command."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner, Result

from mesh.adapters.http import Http
from mesh.cli.main import build
from mesh.codec import codec_for, to_batch
from mesh.connection import Mesh
from mesh.errors import UnreachableError
from mesh.event import frame_prefix
from mesh.schema import AvroSchema, parse_schema
from mesh.subscription import Subscription
from mesh_platform.brokers import RunningBroker
from tests.conformance.declared import applied, declaration, fresh_name, platform_on

EVENT = {"sensor": "s", "at": datetime(2026, 1, 1, tzinfo=UTC), "celsius": 1.0}


class Gateway:
    """A way to a service that can be shut; what is on its way then is cut off."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{parts.path}"
        self._open: list[socket.socket] = []
        self._is_open = True
        threading.Thread(target=self._serve, daemon=True).start()

    def shut(self) -> None:
        self._is_open = False
        for one in self._open:
            one.close()
        self._open.clear()

    def open(self) -> None:
        self._is_open = True

    def close(self) -> None:
        self.shut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            if not self._is_open:
                peer.close()
                continue
            target = socket.create_connection(self._target)
            self._open += [peer, target]
            for one, other in ((peer, target), (target, peer)):
                threading.Thread(target=_copy, args=(one, other), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture(scope="module")
def platform(embedded_broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with platform_on(embedded_broker.bootstrap, tmp_path_factory.mktemp("platform")) as connected:
        yield connected


@pytest.fixture
def gateway(platform: Mesh) -> Iterator[Gateway]:
    made = Gateway(platform.settings.registry_url)
    yield made
    made.close()


@pytest.fixture
def mesh(platform: Mesh, gateway: Gateway) -> Iterator[Mesh]:
    """The mesh, with its registry behind the gateway."""
    token = platform.settings.token
    settings = replace(platform.settings, registry_url=gateway.url, registry_own_token=token)
    with Mesh(settings) as connected:
        yield connected


@pytest.fixture
def product(mesh: Mesh) -> str:
    name = fresh_name()
    applied(mesh, declaration(name))
    return f"tests.{name}"


def publish(mesh: Mesh, product: str) -> None:
    with mesh.publisher(product) as publisher:
        publisher.many([EVENT])


def read(subscription: Subscription, count: int) -> int:
    """Read until so many events came, or nothing came for five seconds."""
    found = 0
    while found < count:
        batch = subscription.poll(wait_seconds=5)
        if batch is None:
            break
        found += len(batch)
    return found


def newer_schema(schema: AvroSchema) -> AvroSchema:
    """The schema with a documented record: another text, another id, the same events."""
    return parse_schema(json.dumps({**json.loads(schema.text), "doc": "written by somebody else"}))


def test_f14_who_is_warm_publishes_and_reads_while_the_registry_is_away(
    mesh: Mesh, product: str, gateway: Gateway
) -> None:
    with mesh.publisher(product) as publisher, mesh.subscribe(product, group=fresh_name()) as subscription:
        publisher.many([EVENT])
        publisher.flush()
        assert read(subscription, 1) == 1
        gateway.shut()
        publisher.many([EVENT] * 10)
        publisher.flush()
        publish(mesh, product)  # one that is opened anew knows its schema, too
        assert read(subscription, 11) == 11
        assert subscription.buried == 0


def test_f15_a_schema_that_is_not_to_be_had_is_waited_for(
    mesh: Mesh, platform: Mesh, product: str, gateway: Gateway
) -> None:
    port = mesh.port(product)
    foreign = newer_schema(port.schema)
    schema_id = platform.registry.register(f"{fresh_name()}-value", foreign)
    codec = codec_for(foreign)
    (value,) = codec.encode(to_batch([EVENT], codec), frame_prefix(schema_id))
    with mesh.subscribe(product, group=fresh_name()) as subscription:
        publish(mesh, product)
        assert read(subscription, 1) == 1
        gateway.shut()
        producer = Producer({"bootstrap.servers": mesh.settings.bootstrap})
        producer.produce(port.topic, value, key=b"s")
        assert producer.flush(20) == 0
        assert subscription.poll(wait_seconds=1) is None
        assert [f"schema id {schema_id}: " in why for why in subscription.waiting.values()] == [True]
        gateway.open()
        assert read(subscription, 1) == 1
        assert (subscription.buried, dict(subscription.waiting)) == (0, {})


def test_whoever_has_no_schema_yet_is_told_that_the_registry_is_away(
    mesh: Mesh, product: str, gateway: Gateway
) -> None:
    gateway.shut()
    with pytest.raises(UnreachableError):
        publish(mesh, product)


@pytest.fixture
def command(platform: Mesh, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings = platform.settings
    monkeypatch.setenv("MESH_KAFKA_BOOTSTRAP", settings.bootstrap)
    monkeypatch.setenv("MESH_PLATFORM_URL", settings.platform_url)
    monkeypatch.setenv("MESH_TOKEN", settings.token)

    def run(*words: str) -> Result:
        return CliRunner().invoke(build(), ["registry", *words])

    return run


def test_a_registry_is_shown_exported_and_found_complete(
    platform: Mesh, product: str, command: Any, tmp_path: Path
) -> None:
    subject = platform.port(product).subject
    assert subject in command("subjects", "tests.").stdout.splitlines()
    assert json.loads(command("subjects", subject, "--json").stdout)["subjects"] == [subject]
    shown = json.loads(command("show", subject, "--json").stdout)
    assert [version["version"] for version in shown["versions"]] == [1]
    schema = json.loads(command("show", subject, "--version", "1").stdout)
    assert parse_schema(json.dumps(schema)) == platform.port(product).schema
    done = command("export", str(tmp_path / "copy"))
    assert (done.exit_code, (tmp_path / "copy" / "subjects").is_dir()) == (0, True)
    again = command("import", str(tmp_path / "copy"))
    assert (again.exit_code, "nothing to do" in again.stderr) == (0, True)


def test_what_a_registry_elsewhere_holds_is_imported_with_its_ids(
    platform: Mesh, command: Any, tmp_path: Path
) -> None:
    subject = f"{fresh_name()}-value"
    file = {"format_version": "1.0", "subject": subject, "config": {"compatibility": "NONE"}, "versions": []}
    versions = [
        {"version": n, "id": 70_000 + n, "schema": f'"{kind}"'} for n, kind in ((2, "int"), (9, "long"))
    ]
    (tmp_path / "subjects").mkdir()
    (tmp_path / "subjects" / "one.json").write_text(json.dumps({**file, "versions": versions}))
    (tmp_path / "registry.json").write_text('{"format_version": "1.0", "settings": {}}')
    planned = json.loads(command("import", str(tmp_path), "--dry-run", "--json").stdout)
    assert [step["kind"] for step in planned["steps"]] == ["import", "register", "register", "config", "mode"]
    done = command("import", str(tmp_path))
    assert done.exit_code == 0, done.output
    settings = platform.settings
    http = Http(settings.registry_url, settings.token, name="registry")
    assert http.request("GET", f"/subjects/{subject}/versions")[1] == [2, 9]
    assert http.request("GET", "/schemas/ids/70009")[1]["schema"] == '"long"'
    http.close()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("import",), "MESH-U163"),
        (("import", "a", "--from", "http://127.0.0.1:9"), "MESH-U163"),
        (("import", "--from", "nowhere"), "MESH-U160"),
        (("import", "--from", "http://127.0.0.1:9", "--token-file", "missing"), "MESH-U164"),
        (("import", "missing"), "MESH-U162"),
        (("show", "missing"), "MESH-R404"),
    ],
)
def test_a_command_that_cannot_be_carried_out_says_why(
    command: Any, words: tuple[str, ...], code: str
) -> None:
    error: Any = command(*words).exception
    assert error.error_code == code
    assert error.fix


def test_a_version_that_is_not_there_is_told_with_those_that_are(
    platform: Mesh, product: str, command: Any
) -> None:
    error: Any = command("show", platform.port(product).subject, "--version", "7").exception
    assert (error.error_code, error.why) == ("MESH-R007", "it has 1")
