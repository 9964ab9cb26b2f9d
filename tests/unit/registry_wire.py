"""Registries of several habits on one state: what a client of their API has to get along with."""

from __future__ import annotations

import asyncio
import json
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
from starlette.applications import Starlette

from mesh.adapters.http import Budget
from mesh.errors import UnreachableError
from mesh_platform.registry.routes import routes
from tests.unit.registry_twin import RegistryTwin

#: Method, path and answer to answer: what this registry does otherwise.
Habit = Callable[[str, str, int, Any], tuple[int, Any]]
_UNSERVED = 404, {"error_code": 404, "message": "HTTP 404 Not Found"}


@dataclass
class RegistryWire:
    """HTTP to a registry in memory, with its habits."""

    habits: tuple[Habit, ...] = ()
    twin: RegistryTwin = field(default_factory=RegistryTwin)
    asked: list[str] = field(default_factory=list)
    turn: Any = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        weakref.finalize(self, self._loop.close)
        transport = httpx2.ASGITransport(app=Starlette(routes=routes(self.twin)))
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://registry")

    def request(
        self, method: str, path: str, body: object | None = None, *, budget: Budget | None = None
    ) -> tuple[int, Any]:
        with self.turn:
            self.asked.append(f"{method} {path}")
            status, answer = self._loop.run_until_complete(self._answer(method, path, body))
        for habit in self.habits:
            status, answer = habit(method, path, status, answer)
        return status, answer

    def unreachable(self, why: str) -> UnreachableError:
        return UnreachableError(why, code="MESH-X002")

    async def _answer(self, method: str, path: str, body: object | None) -> tuple[int, Any]:
        headers = {"content-type": "application/json"} if body is not None else {}
        content = None if body is None else json.dumps(body)
        answer = await self._client.request(method, path, content=content, headers=headers)
        return answer.status_code, answer.json()


def older(method: str, path: str, status: int, answer: Any) -> tuple[int, Any]:
    """Confluent up to 7: no guid, no type where it is Avro, only the id of what was registered."""
    if method == "POST" and path.partition("?")[0].endswith("/versions") and status == 200:
        return status, {"id": answer["id"]} if "id" in answer else answer
    return status, _without(answer)


def _without(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_without(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    kept = {name: value for name, value in answer.items() if name not in ("guid", "deleted", "ts")}
    if kept.get("schemaType") == "AVRO":
        del kept["schemaType"]
    return kept


def newest(method: str, path: str, status: int, answer: Any) -> tuple[int, Any]:
    """Confluent from 8.2: 40901 where it was 409."""
    return status, {**answer, "error_code": 40901} if status == 409 else answer


def unlisted(method: str, path: str, status: int, answer: Any) -> tuple[int, Any]:
    """No listing of schemas, as in Apicurio."""
    return _UNSERVED if path.partition("?")[0] == "/schemas" else (status, answer)


def forgetful(method: str, path: str, status: int, answer: Any) -> tuple[int, Any]:
    """Lists deleted versions and does not show them, as Apicurio."""
    if method == "GET" and isinstance(answer, dict) and answer.get("deleted"):
        return 404, {"error_code": 40402, "message": "Version not found."}
    return status, answer


def modeless(method: str, path: str, status: int, answer: Any) -> tuple[int, Any]:
    """Neither modes nor contexts."""
    return _UNSERVED if path.startswith(("/mode", "/contexts")) else (status, answer)


def plain_levels(method: str, path: str, status: int, answer: Any) -> tuple[int, Any]:
    """A level for everybody, also for those that were given none, and no list of levels."""
    if path.startswith("/mesh/"):
        return _UNSERVED
    if method == "GET" and path.startswith("/config/") and status == 404:
        return 200, {"compatibilityLevel": "BACKWARD"}
    return status, answer


def wordy(method: str, path: str, status: int, answer: Any) -> tuple[int, Any]:
    """Reasons in a word of its own instead of messages."""
    if path.startswith("/compatibility") and isinstance(answer, dict) and "messages" in answer:
        return status, {"is_compatible": answer["is_compatible"], "reason": "; ".join(answer["messages"])}
    return status, answer


#: By name, what each does otherwise; real ones have more than one of these habits.
REGISTRIES: dict[str, tuple[Habit, ...]] = {
    "mesh": (),
    "confluent-7": (older, plain_levels),
    "confluent-8.2": (newest,),
    "karapace": (older, plain_levels),
    "apicurio": (older, unlisted, modeless, plain_levels, wordy),
}
