"""What clients do while processes die: each is one kind of actor, and goes on until it is stopped."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mesh.contract.avro import avro_schema
from mesh.contract.reading import read_contract
from mesh.contract.rule_targets import rule_set
from mesh_platform.chaos.history import Recorder
from tests.faults.registry.client import Client, Stopped
from tests.faults.registry.schemas import grown, key, respelled, rival
from tests.unit.contract_kit import CONTRACT, FILE, replaced

Actor = Callable[[Client, random.Random, int], None]
_PROPERTY = "      - name: departed_at\n"
_WIDEST = 12


def grower(client: Client, dice: random.Random, number: int) -> None:
    """Grows subjects of its own, reads each id back at once, and asks for old schemas again."""
    for part in itertools.count():
        subject, name = f"own-{number}.{part}-value", f"Own{number}x{part}"
        for width in range(1, _WIDEST):
            node = dice.randrange(client.nodes)
            text = grown(width, name)
            told = _registered(client, subject, text, node)
            if told.outcome == "ok":
                client.get(told.body["id"], node)
            if not dice.randrange(4):
                _registered(client, subject, respelled(grown(dice.randint(1, width), name), dice), node)


def racer(client: Client, dice: random.Random, number: int) -> None:
    """Wants the next version of a subject that others want too, each with a schema that excludes theirs."""
    for part in itertools.count():
        subject = f"race-{part}-value"
        while (before := _latest(client, subject, node := dice.randrange(client.nodes))).count("S") < _WIDEST:
            _registered(client, subject, rival(before or None, number), node)


def twin(client: Client, dice: random.Random, number: int) -> None:
    """Registers what all twins register, in another spelling, under a subject of its own or of all."""
    for part in itertools.count():
        subject = dice.choice((f"twins-{part}-value", f"twin-{number}.{part}-value"))
        text = respelled(grown(1 + part % 5, f"Twin{part}"), dice)
        _registered(client, subject, text, dice.randrange(client.nodes))


def remover(client: Client, dice: random.Random, number: int) -> None:
    """Registers, deletes softly, registers again, deletes for good: an id comes back with its schema only."""
    for part in itertools.count():
        subject = f"gone-{number}.{part % 3}-value"
        told = _registered(client, subject, grown(1, f"Gone{number}x{part}"), dice.randrange(client.nodes))
        if told.outcome != "ok":
            continue
        schema_id, version = told.body["id"], told.body["version"]
        _deleted(client, subject, version, permanent=False)
        client.get(schema_id)
        if not dice.randrange(3):
            told = _registered(client, subject, grown(1, f"Gone{number}x{part}"), 0)
            version = told.body["version"]
            _deleted(client, subject, version, permanent=False)
        if dice.randrange(3):
            _deleted(client, subject, version, permanent=True)


def reviewer(client: Client, dice: random.Random, number: int) -> None:
    """Proposes versions of a contract, tries their schemas too early, approves, and registers them."""
    text = CONTRACT.replace("ops.flights.v1", f"ops.flights-{number}.v1")
    file = FILE.replace("flights", f"flights-{number}")
    subject = f"ops.flights-{number}.v1-value"
    client.sure(_declare(client, text, file, subject), lambda: _declare(client, text, file, subject))
    schema, rules = _registration(text, file)
    _registered(client, subject, schema, 0, rules)
    for part in itertools.count(1):
        text = replaced(
            text,
            (f"version: 1.{part - 1}.0\n", f"version: 1.{part}.0\n"),
            (_PROPERTY, f"      - name: note{part}\n        logicalType: string\n{_PROPERTY}"),
        )
        _review(client, dice, text, file, subject)


def _review(client: Client, dice: random.Random, text: str, file: str, subject: str) -> None:
    schema, rules = _registration(text, file)
    node = dice.randrange(client.nodes)
    proposal = client.ask("POST", "/api/v1/proposals", {"file": file, "text": text, "reason": "more"}, node)
    if proposal.outcome != "ok":
        raise RuntimeError(f"a proposal is refused: {proposal.body}")
    _registered(client, subject, schema, node, rules)

    def approve() -> Any:
        body = {"decision": "approve", "reason": "good", "sha256": proposal.body["sha256"]}
        path = f"/proposals/{proposal.body['number']}/decision"
        facts = {"subject": subject, "v": key(schema), "id": proposal.body["number"]}
        return client.send("approve", path, body, node, **facts)

    if client.sure(approve(), approve).outcome == "ok":
        told = _registered(client, subject, schema, node, rules)
        if told.outcome != "ok":
            raise RuntimeError(f"an approved schema is refused: {told.body}")


ACTORS: Mapping[str, tuple[Actor, int]] = {
    "grower": (grower, 2),
    "racer": (racer, 6),
    "twin": (twin, 3),
    "remover": (remover, 2),
    "reviewer": (reviewer, 1),
}


@dataclass
class Work:
    """Actors at work; `failures` are those that met what they cannot explain."""

    stop: threading.Event
    failures: list[str]


@contextmanager
def working(
    folder: Path, ports: list[int], token: str, seed: int, only: tuple[str, ...] = tuple(ACTORS)
) -> Iterator[Work]:
    """Actors as threads, told to stop at the end and waited for; histories go into the folder."""
    work = Work(threading.Event(), [])

    def act(name: str, actor: Actor, number: int) -> None:
        proc = f"{name}-{number}"
        with Recorder(folder / f"{proc}.history", proc) as recorder:
            client = Client(ports, token, recorder, work.stop)
            try:
                actor(client, random.Random(f"{seed} {proc}"), number)
            except Stopped:
                pass
            except Exception as error:
                work.failures.append(f"{proc}: {error!r}")
            finally:
                client.close()

    threads = [
        threading.Thread(target=act, args=(name, actor, number), name=f"{name}-{number}")
        for name, (actor, many) in ACTORS.items()
        if name in only
        for number in range(many)
    ]
    for thread in threads:
        thread.start()
    try:
        yield work
    finally:
        work.stop.set()
        for thread in threads:
            thread.join(60)


def _registered(client: Client, subject: str, text: str, node: int, rules: Any = None) -> Any:
    if client.stop.is_set():
        raise Stopped
    told = client.register(subject, text, node, rules)
    return client.sure(told, lambda: client.register(subject, text, node, rules))


def _deleted(client: Client, subject: str, version: int, *, permanent: bool) -> None:
    told = client.delete(subject, version, permanent=permanent)
    client.sure(told, lambda: client.delete(subject, version, permanent=permanent))


def _declare(client: Client, text: str, file: str, subject: str) -> Any:
    schema, _ = _registration(text, file)
    return client.send("declare", "/contracts", {"file": file, "text": text}, subject=subject, v=key(schema))


def _registration(text: str, file: str) -> tuple[str, Any]:
    """The schema and the rule set that a contract's text stands for."""
    contract = read_contract(text.encode(), file)
    schema = avro_schema(contract)
    return schema.text, rule_set(contract, schema)


def _latest(client: Client, subject: str, node: int) -> str:
    path = f"/registry/subjects/{quote(subject)}/versions/latest"
    told = client.ask("GET", path, node=node)
    if client.stop.is_set():
        raise Stopped
    return told.body["schema"] if told.outcome == "ok" else ""
