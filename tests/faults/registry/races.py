"""Races: many clients want one place at the same moment, with schemas that exclude each other or are one."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mesh_platform.chaos.history import Recorder, read
from mesh_platform.chaos.report import Finding
from tests.faults.registry.checks import verify
from tests.faults.registry.client import Client, Told
from tests.faults.registry.final import read_final
from tests.faults.registry.history import Line
from tests.faults.registry.nemesis import Platform
from tests.faults.registry.schemas import grown, respelled, rival

#: After so many versions rivals begin with a subject that is empty.
_SLOTS = 10


@dataclass
class Races:
    """What came of the rounds: winners of each, how the rest was refused, what the verifier found."""

    winners: list[int] = field(default_factory=list)
    refusals: Counter[int] = field(default_factory=Counter)
    ids: list[int] = field(default_factory=list)  #: ids that the registrations of one schema led to
    findings: list[Finding] = field(default_factory=list)

    def wrong(self) -> list[Finding]:
        """Rounds that did not end as they must."""
        rounds = [("no-winner" if won == 0 else "two-winners", won) for won in self.winners if won != 1]
        split = [("split-id", ids) for ids in self.ids if ids != 1]
        return [Finding(check, f"a round ended with {count}") for check, count in rounds + split]

    def as_json(self) -> dict[str, Any]:
        refusals = {str(status): count for status, count in self.refusals.items()}
        return {"winners": self.winners, "ids": self.ids, "refusals": refusals}


def race(
    folder: Path,
    platforms: Sequence[Platform],
    *,
    clients: int = 64,
    rivals: int = 100,
    twins: int = 10,
    name: str = "race",
) -> Races:
    """Rounds of rivals, then rounds of twins; the clients are spread over the processes.

    `name` keeps the subjects apart from those of other races.
    """
    races, ports = Races(), [platform.port for platform in platforms]
    with _Field(folder, ports, platforms[0].token, clients, name) as field_:
        before = None
        for number in range(rivals):
            if number % _SLOTS == 0:
                before = None
            wanted = [rival(before, client) for client in range(clients)]
            told = field_.register([f"{name}-{number // _SLOTS}-value"] * clients, wanted)
            won = [text for text, answer in zip(wanted, told, strict=True) if answer.outcome == "ok"]
            races.winners.append(len(won))
            races.refusals.update(answer.status for answer in told if answer.outcome != "ok")
            before = won[0] if won else None
        dice = random.Random(clients)
        for number in range(twins):
            text = grown(3, f"{name.title()}Twin{number}")
            subjects = [f"{name}-twin-{number}.{client % 2 * client}-value" for client in range(clients)]
            told = field_.register(subjects, [respelled(text, dice) for _ in range(clients)])
            races.ids.append(len({answer.body["id"] for answer in told if answer.outcome == "ok"}))
            races.refusals.update(answer.status for answer in told if answer.outcome != "ok")
    lines = read(sorted(folder.glob("*.history")), Line)
    ids = {line.id for line in lines if line.type == "ok"}
    races.findings = verify(lines, read_final(ports, platforms[0].token, ids, folder))
    return races


class _Field:
    """Clients that begin together."""

    def __init__(self, folder: Path, ports: list[int], token: str, clients: int, name: str) -> None:
        self._stack = ExitStack()
        stop = threading.Event()
        self._clients = []
        for number in range(clients):
            recorder = Recorder(folder / f"{name}-{number}.history", f"{name}-{number}")
            client = Client(ports, token, self._stack.enter_context(recorder), stop)
            self._stack.callback(client.close)
            self._clients.append(client)
        self._pool = self._stack.enter_context(ThreadPoolExecutor(clients))
        self._start = threading.Barrier(clients)

    def __enter__(self) -> _Field:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def register(self, subjects: Sequence[str], texts: Sequence[str]) -> list[Told]:
        def one(number: int) -> Told:
            client = self._clients[number]
            self._start.wait(30)

            def register() -> Told:
                return client.register(subjects[number], texts[number], number % client.nodes)

            told = register()
            while not told.status:  # whom a slow machine keeps waiting for too long asks again
                told = register()
            return told

        return list(self._pool.map(one, range(len(self._clients))))
