"""A registry in memory: the real state behind an ordered list instead of a control log."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
from starlette.applications import Starlette

from mesh_platform.registry.config import Config
from mesh_platform.registry.model import Content, Gate, Outcome
from mesh_platform.registry.routes import routes
from mesh_platform.registry.state import RegistryState
from mesh_platform.registry.warrant import Warrant


@dataclass(frozen=True)
class TwinRecord:
    """A control-log record."""

    offset: int
    time: str
    actor: str
    kind: str
    body: Mapping[str, object]


@dataclass
class RegistryTwin:
    """Assigns offsets and applies at once; keeps the records so that tests can replay them."""

    gate: Gate | None = None
    records: list[TwinRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = RegistryState(self.gate)

    def begin_again(self) -> None:
        """As if nothing had ever been sent."""
        self.records.clear()
        self.__post_init__()

    def send(self, kind: str, body: Mapping[str, object], actor: str = "tester") -> Outcome:
        offset = len(self.records)
        stored = json.loads(json.dumps(body))
        record = TwinRecord(offset, f"2026-01-01T00:00:{offset % 60:02}Z", actor, kind, stored)
        self.records.append(record)
        return self.state.apply(record)

    async def current(self) -> None:
        """It always is."""

    async def submit(self, kind: str, body: Mapping[str, object], actor: str, command: str = "") -> Outcome:
        return self.send(kind, body, actor)


class ClosedGate:
    """A gate that lets only one subject through."""

    def __init__(self, subject: str, message: str) -> None:
        self.subject = subject
        self.message = message

    def check(self, subject: str, content: Content, warrant: Warrant) -> str | None:
        return None if subject == self.subject else self.message

    def deletion(self, subject: str, warrant: Warrant, *, permanent: bool) -> str | None:
        return None

    def settings(self, subject: str | None, before: Config, after: Config, warrant: Warrant) -> str | None:
        return None


@asynccontextmanager
async def client_of(registry: RegistryTwin) -> AsyncIterator[httpx2.AsyncClient]:
    """Requests to a twin's routes, without a socket."""
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(registry)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://registry") as client:
        yield client
