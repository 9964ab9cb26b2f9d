"""Campaign: publishers, handlers and brokers at work and killed; rest; a last read; every check."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

from confluent_kafka import KafkaException

from mesh.config import Settings
from mesh.connection import Mesh
from mesh.errors import MeshError
from mesh.event import FRAME_BYTES
from mesh.pipelines.provenance import INPUT
from mesh.port import OutputPort
from mesh_platform.chaos import consumer, world
from mesh_platform.chaos.effects import Effects
from mesh_platform.chaos.final import Effect, Final, Record, Sink, committed, read_committed
from mesh_platform.chaos.history import Line, Place, read
from mesh_platform.chaos.killing import Killing, Tell
from mesh_platform.chaos.kills import Kill
from mesh_platform.chaos.lives import Life, Nodes
from mesh_platform.chaos.plan import Wish
from mesh_platform.chaos.report import Finding, Report
from mesh_platform.chaos.verdict import STALLED, judge
from mesh_platform.up import Up, Wanted, bring_up

Schedules = Mapping[str, Sequence[Kill]]
Headers = Sequence[tuple[str, bytes | None]] | None
#: so long nothing moves, and then it is said to have stalled
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.3


def campaign(folder: Path, wish: Wish, tell: Tell, schedules: Schedules | None = None) -> Report:
    """Run one; data, logs and histories stay in the folder. Raises MeshError when an actor fails.

    `schedules` are the ends of the actors' lives where the seed shall not decide them.
    """
    report = Report(wish.seed)
    run, began = token_hex(3), time.monotonic()
    wanted = Wanted(folder / "mesh", wish.broker, 0, wish.nodes, wish.bootstrap, quality=False)
    with bring_up(wanted, tell) as up, _mesh(up) as mesh:
        world.apply_to(mesh, run)
        lives = _lives(folder, wish, run, up)
        nodes = Nodes(up.processes[:-1], up.bootstrap, random.Random(f"{wish.seed} which"))
        killing = Killing(lives, nodes, schedules or wish.schedules(), tell)
        try:
            killing.run(wish.events, wish.minutes * 60)
            stalled = _rest(up.bootstrap, lives, mesh.port(world.orders(run)).topic, _groups(wish, run))
        finally:
            for life in lives:
                life.kill()
        tell("reading what is left")
        try:
            final, unread = _final(folder, mesh, wish, run), ""
        except (RuntimeError, MeshError, KafkaException) as error:
            final, unread = Final(), f"what is left could not be read: {error}"
    report.ends = killing.ends
    if nodes.starts:
        report.started(nodes.starts)
    judge(report, wish, read([life.history for life in lives], Line), final, unread)
    report.findings += stalled
    report.figures["seconds"] = round(time.monotonic() - began, 1)
    return report


def _mesh(up: Up) -> Mesh:
    return Mesh(Settings(up.bootstrap, up.url, f"{up.url}/registry", up.token))


def _lives(folder: Path, wish: Wish, run: str, up: Up) -> list[Life]:
    shared = ["--run", run, "--rate", str(wish.rate / len(wish.names["publisher"]))]
    return [
        Life(folder, role, name, [*shared, "--broken", name if name in wish.broken else ""], up.environment())
        for role, names in wish.names.items()
        for name in names
    ]


def _groups(wish: Wish, run: str) -> list[str]:
    handlers = [consumer.group_of(fault) for fault in wish.groups.get("consumer", ())]
    return [*handlers, world.settlements(run)] if wish.names["pipeline"] else handlers


def _rest(bootstrap: str, lives: Sequence[Life], topic: str, groups: Sequence[str]) -> list[Finding]:
    """Publishers finish, readers come to the end and finish too; what does not get there has stalled."""
    for life in lives:
        if life.role == "publisher":
            life.finish()
    places = [(topic, number) for number in range(world.PARTITIONS)]
    behind = _come_to_the_end(bootstrap, groups, places)
    for life in lives:
        if life.role != "publisher":
            life.finish()
    return [Finding(STALLED, f"{group} is {lag} records behind") for group, lag in behind.items()]


def _come_to_the_end(bootstrap: str, groups: Iterable[str], places: Sequence[Place]) -> dict[str, int]:
    """By group how far it stays behind, once it has nothing left to read or has stood still for long."""
    ends = _ends(bootstrap, places)
    left = dict.fromkeys(groups, sum(ends.values()))
    moved = time.monotonic()
    while left and time.monotonic() - moved < _PATIENCE_SECONDS:
        time.sleep(_LOOK_SECONDS)
        at = committed(bootstrap, left)
        now = {group: sum(end - at.get((group, *place), 0) for place, end in ends.items()) for group in left}
        if now != left:
            moved = time.monotonic()
        left = {group: lag for group, lag in now.items() if lag > 0}
    return left


def _ends(bootstrap: str, places: Sequence[Place]) -> dict[Place, int]:
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient, OffsetSpec

    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    asked = admin.list_offsets({TopicPartition(*place): OffsetSpec.latest() for place in places})
    return {(place.topic, place.partition): told.result(30).offset for place, told in asked.items()}


def _final(folder: Path, mesh: Mesh, wish: Wish, run: str) -> Final:
    port = mesh.port(world.orders(run))
    found = _read(mesh, port, consumer.event_id)
    sinks: dict[str, Sink] = {}
    for fault in wish.groups.get("consumer", ()):
        effects = Effects(consumer.store(folder, fault))
        sinks[fault or "handler"] = Sink(port.topic, "event", effects.all())
        effects.close()
    if wish.names["pipeline"]:
        derived = _read(mesh, mesh.port(world.settlements(run)), _cause)
        made = [Effect(r.id, r.key or "", r.value or "") for records in derived.values() for r in records]
        sinks[wish.groups["pipeline"][0] or "pipeline"] = Sink(port.topic, "record", made)
    return Final(records=found, sinks=sinks)


def _read(mesh: Mesh, port: OutputPort, name: Callable[[Headers], str]) -> dict[Place, list[Record]]:
    """Every event of a product; `name` tells from its headers what it is called."""

    def records(messages: Sequence[Any]) -> Iterable[Record]:
        datums = [message.value()[FRAME_BYTES:] for message in messages]
        values = port.codec.decode(datums).column("id").to_pylist()
        for message, value in zip(messages, values, strict=True):
            yield Record(message.offset(), message.key().decode(), value, name(message.headers()))

    places = [(port.topic, number) for number in range(world.PARTITIONS)]
    return read_committed(mesh.settings.bootstrap, places, records)


def _cause(headers: Headers) -> str:
    """Partition and offset of the record that an event is derived from."""
    [where] = [(raw or b"").decode() for name, raw in headers or () if name == INPUT]
    return where.partition("/")[2]
