"""Publishing as others see it: official client and kcat, composite keys, marks, asyncio, the outbox."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mesh.connection import Mesh
from mesh.declaration import SourceFile, declare
from mesh.errors import EventError
from mesh.event import violations
from mesh.outbox import table_of
from mesh_platform.processes import ManagedProcess, Program, json_line
from tests.conformance.declared import CONTRACT, PRODUCT, applied, fresh_name
from tests.conformance.readings import letters, reading
from tests.conformance.test_sender import records
from tests.conftest import require

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#: makes the key of `tests.conformance.declared` one of two parts
ROOM = """\
      - name: room
        logicalType: string
        primaryKey: true
        primaryKeyPosition: 2
        required: true
        description: Where.
"""
OFFICIAL = Path(__file__).parents[1] / "e2e" / "official_reader.py"


@pytest.fixture
def rooms(mesh: Mesh) -> str:
    """A product whose key has two parts."""
    name = fresh_name()
    files = {
        file.replace("NAME", name): text.replace(
            "primaryKey: true", "primaryKey: true, primaryKeyPosition: 1", 1
        )
        for file, text in (
            ("contracts/tests/NAME.v1.odcs.yaml", CONTRACT.format(name=name, version="1.0.0", more=ROOM)),
            ("domains/tests/NAME.odps.yaml", PRODUCT.format(name=name)),
        )
    }
    applied(mesh, declare(SourceFile(file, text.encode()) for file, text in files.items()).require())
    return f"tests.{name}"


def test_kcat_sees_every_header_exactly(mesh: Mesh, product: str) -> None:
    require("kcat")
    topic = mesh.port(product).topic
    with mesh.publisher(product) as publish:
        publish(reading(7), event_id="flight-ä", traceparent=TRACE)
    argv = ["kcat", "-q", "-b", mesh.settings.bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-J"]
    (line,) = subprocess.run(argv, capture_output=True, timeout=30, check=True).stdout.splitlines()
    seen = json.loads(line.decode(errors="replace"))  # the value is Avro, and no text
    headers = dict(zip(seen["headers"][::2], seen["headers"][1::2], strict=True))
    assert seen["key"] == "s-2"
    assert headers == {
        "ce_id": "flight-ä",
        "ce_time": "2026-01-01T00:00:07.000000Z",
        "ce_specversion": "1.0",
        "ce_source": f"/tests/{topic}",
        "ce_type": topic,
        "content-type": "application/avro",
        "traceparent": TRACE,
    }


def test_the_official_client_reads_what_was_published(mesh: Mesh, product: str) -> None:
    with mesh.publisher(product) as publish:
        publish.many([reading(number) for number in range(20)])
    settings = mesh.settings
    argv = [sys.executable, str(OFFICIAL), settings.bootstrap, settings.registry_url, settings.token or ""]
    printed = subprocess.run(
        [*argv, mesh.port(product).topic], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert sorted(json.loads(line)["celsius"] for line in printed.splitlines()) == [
        float(number) for number in range(20)
    ]


def test_keys_of_two_parts_are_told_apart_by_broker_and_lookup(mesh: Mesh, rooms: str) -> None:
    pairs = [("a|b", "c"), ("a", "b|c"), ('a","b', "c"), ("a", 'b","c')]
    with mesh.publisher(rooms) as publish:
        publish.many([reading(1, sensor=sensor, room=room) for sensor, room in pairs * 2])
    keys = {message.key() for message in records(mesh.settings.bootstrap, mesh.port(rooms).topic)}
    assert {tuple(json.loads(key)) for key in keys} == set(pairs)
    table = mesh.lookup(rooms)
    assert {(row["sensor"], row["room"]) for row in table.current().to_pylist()} == set(pairs)
    table.close()


def test_a_marked_event_reaches_its_readers_with_the_rules_it_breaks(mesh: Mesh, product: str) -> None:
    with mesh.publisher(product, on_violation="mark") as publish:
        assert publish.many([reading(1), reading(2, celsius=99.0)]).marked == 1
    with mesh.subscribe(product, group=f"tests.{fresh_name()}") as subscription:
        seen: dict[float, bool] = {}
        while len(seen) < 2:
            batch = subscription.poll(wait_seconds=10)
            assert batch is not None
            for row, message in zip(batch.rows(), batch.messages, strict=True):
                seen[row["celsius"]] = bool(violations(message.headers()))
    assert seen == {1.0: False, 99.0: True}
    assert letters(mesh, product) == []


async def test_the_asyncio_twin_publishes_what_the_publisher_does(mesh: Mesh, product: str) -> None:
    async with mesh.apublisher(product) as publish:
        await publish(reading(0))
        await publish.many([reading(number) for number in range(1, 50)])
        with pytest.raises(EventError):
            await publish(reading(1, celsius=99.0))
        done = await publish.many([reading(1, celsius=99.0)], on_violation="dead-letter")
    assert done.dead_letters == 1
    assert len(list(mesh.read(product).rows())) == 50
    assert len(letters(mesh, product)) == 1


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Any]]:
    """A database by its name and by a connection; its outbox is empty."""
    if request.param == "sqlite":
        name = str(tmp_path / "shop.db")
        connection: Any = sqlite3.connect(name)
        connection.execute("pragma journal_mode=wal")
    else:
        name = str(request.getfixturevalue("postgres"))
        connection = psycopg.connect(name)
        connection.execute("drop table if exists mesh_outbox")
    connection.execute(table_of(request.param))
    connection.commit()
    with closing(connection):
        yield name, connection


def test_a_relay_that_is_killed_loses_nothing_and_repeats_with_the_same_ids(
    mesh: Mesh, product: str, shop: tuple[str, Any], tmp_path: Path
) -> None:
    outbox, (name, database) = mesh.outbox(product), shop
    written: list[str] = []
    argv = [sys.executable, "-m", "tests.conformance.relay", mesh.settings.bootstrap, name]
    with ManagedProcess(Program(name="relay", argv=argv, state_dir=tmp_path), json_line) as relay:
        for round_number in range(3):
            for number in range(150):
                event = reading(number, sensor="one", at=datetime.now(UTC))
                written.append(outbox.write(database, event))
                database.commit()
            if round_number < 2:
                relay.kill()
                relay.restart()
        while database.execute("select count(*) from mesh_outbox").fetchone()[0]:
            database.commit()
    seen = [_id(message) for message in records(mesh.settings.bootstrap, mesh.port(product).topic)]
    assert list(dict.fromkeys(seen)) == written


def _id(message: Any) -> str:
    return str(dict(message.headers())["ce_id"].decode())
