"""A request that names itself by `Idempotency-Key` is carried out once, however often it comes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from mesh_platform.api import create_api
from mesh_platform.commands import REMEMBERED
from mesh_platform.control import ControlPlane, RegistryDoor
from mesh_platform.log import SqliteLog
from mesh_platform.registry.routes import routes
from mesh_platform.rights import EVERY_RIGHT
from tests.unit.test_api_platform import FILE, PRODUCT, RETIRED

SCHEMA = json.dumps({"type": "record", "name": "R", "fields": []})
OTHER = json.dumps({"type": "record", "name": "Other", "fields": []})


class Signed:
    """Stands for the door: whoever asks is named in a header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asking = dict(scope.get("headers", ())).get(b"x-principal", b"ann")
        await self._app({**scope, "principal": asking.decode(), "rights": EVERY_RIGHT}, receive, send)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[ControlPlane]:
    plane = ControlPlane(SqliteLog(tmp_path / "control.db"))
    yield plane
    plane.close()


@pytest.fixture
async def http(control: ControlPlane) -> AsyncIterator[httpx2.AsyncClient]:
    registry = Starlette(routes=routes(RegistryDoor(control, takes_unowned=True)))
    app = Starlette(routes=[Mount("/registry", registry), Mount("/api/v1", create_api(control))])
    transport = httpx2.ASGITransport(app=Signed(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://mesh") as client:
        yield client


def keyed(key: str = "k-1", principal: str = "ann") -> dict[str, str]:
    return {"Idempotency-Key": key, "X-Principal": principal}


async def register(http: httpx2.AsyncClient, schema: str = SCHEMA, **headers: str) -> httpx2.Response:
    return await http.post("/registry/subjects/s/versions", json={"schema": schema}, headers=headers)


async def test_a_deletion_that_comes_again_is_answered_as_at_first(http: httpx2.AsyncClient) -> None:
    await register(http)
    answers = [await http.delete("/registry/subjects/s", headers=keyed()) for _ in range(3)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, [1])] * 3


async def test_without_a_key_a_deletion_that_comes_again_finds_nothing(http: httpx2.AsyncClient) -> None:
    await register(http)
    answers = [await http.delete("/registry/subjects/s") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 404]


async def test_a_repetition_leaves_no_record(http: httpx2.AsyncClient, control: ControlPlane) -> None:
    await register(http)
    await http.delete("/registry/subjects/s", headers=keyed())
    before = list(control.recent)
    await http.delete("/registry/subjects/s", headers=keyed())
    assert control.recent == before


async def test_a_repetition_does_not_undo_what_came_after(http: httpx2.AsyncClient) -> None:
    await register(http)
    await http.delete("/registry/subjects/s", headers=keyed())
    await register(http, OTHER)
    await http.delete("/registry/subjects/s", headers=keyed())
    assert (await http.get("/registry/subjects")).json() == ["s"]


async def test_a_refusal_that_comes_again_is_the_same_refusal(http: httpx2.AsyncClient) -> None:
    first = await http.delete("/registry/subjects/s", headers=keyed())
    await register(http)
    again = await http.delete("/registry/subjects/s", headers=keyed())
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.status_code == 404


async def test_a_key_used_for_another_request_is_refused(http: httpx2.AsyncClient) -> None:
    await http.put("/registry/config", json={"compatibility": "FULL"}, headers=keyed())
    other = await http.put("/registry/config", json={"compatibility": "NONE"}, headers=keyed())
    assert other.status_code == 422
    assert "MESH-S022" in other.json()["message"]
    assert (await http.get("/registry/config")).json()["compatibilityLevel"] == "FULL"


async def test_two_principals_may_choose_the_same_key(http: httpx2.AsyncClient) -> None:
    await http.put("/registry/config", json={"compatibility": "FULL"}, headers=keyed())
    other = await http.put("/registry/config", json={"compatibility": "NONE"}, headers=keyed(principal="bo"))
    assert other.json() == {"compatibility": "NONE"}


@pytest.mark.parametrize("key", ["", "two words", "a/b", "x" * 129, "é"])
async def test_a_key_that_is_none_is_refused_before_anything_happens(
    http: httpx2.AsyncClient, key: str
) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1"))]
    asked = await http.put("/registry/config", json={"compatibility": "NONE"}, headers=headers)
    assert (asked.status_code, asked.json()["error_code"]) == (400, 400)
    declared = await http.post("/api/v1/contracts", json={"file": FILE, "text": RETIRED}, headers=headers)
    assert (declared.status_code, declared.json()["code"]) == (422, "MESH-S025")


async def test_a_contract_removed_again_is_answered_as_at_first(http: httpx2.AsyncClient) -> None:
    await http.post("/api/v1/contracts", json={"file": FILE, "text": RETIRED})
    removed = [await http.delete("/api/v1/contracts/ops.flights.v1", headers=keyed()) for _ in range(2)]
    assert [answer.status_code for answer in removed] == [200, 200]
    assert removed[0].json() == removed[1].json()


async def test_a_product_declared_again_with_its_key_is_the_same_declaration(
    http: httpx2.AsyncClient, control: ControlPlane
) -> None:
    await http.post("/api/v1/contracts", json={"file": FILE, "text": RETIRED})
    body: dict[str, Any] = {"file": "p.odps.yaml", "text": PRODUCT}
    answers = [await http.post("/api/v1/products", json=body, headers=keyed()) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert [record.kind for record in control.recent].count("product.declare") == 1


async def test_the_answer_is_the_same_after_a_restart(http: httpx2.AsyncClient, tmp_path: Path) -> None:
    first = ControlPlane(SqliteLog(tmp_path / "other.db"))
    told = first.submit_now("registry.delete-subject", {"subject": "s", "permanent": False}, "ann", "k/d")
    first.close()
    second = ControlPlane(SqliteLog(tmp_path / "other.db"))
    second.submit_now("registry.register", {"subject": "s", "schema": SCHEMA}, "ann")
    again = second.submit_now("registry.delete-subject", {"subject": "s", "permanent": False}, "ann", "k/d")
    assert (told, second.registry.subjects.names()) == (again, ["s"])
    second.close()


def test_what_is_remembered_is_bounded(control: ControlPlane) -> None:
    for n in range(REMEMBERED + 1):
        control.submit_now("registry.set-config", {"subject": None, "compatibility": "FULL"}, "ann", f"k{n}")
    before = len(control.recent), control.recent[-1].offset
    control.submit_now("registry.set-config", {"subject": None, "compatibility": "FULL"}, "ann", "k1")
    assert control.recent[-1].offset == before[1], "the last thousand are remembered"
    control.submit_now("registry.set-config", {"subject": None, "compatibility": "FULL"}, "ann", "k0")
    assert control.recent[-1].offset == before[1] + 1, "the one before them is not"
