"""Who may do what: every route with every principal, before a byte of the body is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mesh_platform.app import Where, create_app
from mesh_platform.control import ControlPlane
from mesh_platform.log import SqliteLog
from mesh_platform.principals import Principals
from mesh_platform.profile import Profile
from mesh_platform.rights import Right
from mesh_platform.tokens import TokenFile
from tests.unit.contract_kit import CONTRACT
from tests.unit.test_auth_platform import OPEN, Blind, filled, routes_of

OWN = "t" * 43
SUBJECT = "ops.flights.v1-value"
FORBIDDEN = 403

#: What opens each request, written down a second time on purpose; reading asks for `read`.
EITHER = {Right.REGISTER, Right.SET_POLICY}
ASKS: dict[tuple[str, str], set[Right]] = {
    ("POST", "/api/v1/contracts"): {Right.REGISTER},
    ("POST", "/api/v1/products"): {Right.REGISTER},
    ("POST", "/api/v1/proposals"): {Right.REGISTER},
    ("DELETE", "/api/v1/contracts/{contract_id}"): {Right.REGISTER},
    ("DELETE", "/api/v1/products/{domain}/{product}"): {Right.REGISTER},
    ("POST", "/api/v1/proposals/{number}/decision"): {Right.APPROVE},
    ("POST", "/reviews/{review}"): {Right.APPROVE},
    ("POST", "/registry/subjects/{subject}/versions"): {Right.REGISTER},
    ("POST", "/registry/subjects/{subject}/versions/{version}/tags"): {Right.REGISTER},
    ("DELETE", "/registry/subjects/{subject}"): EITHER,
    ("DELETE", "/registry/subjects/{subject}/versions/{version}"): EITHER,
    ("PUT", "/registry/config"): {Right.SET_POLICY},
    ("DELETE", "/registry/config"): {Right.SET_POLICY},
    ("PUT", "/registry/config/{subject}"): EITHER,
    ("DELETE", "/registry/config/{subject}"): EITHER,
    ("PUT", "/registry/mode"): {Right.SET_POLICY},
    ("DELETE", "/registry/mode"): {Right.SET_POLICY},
    ("PUT", "/registry/mode/{subject}"): {Right.SET_POLICY},
    ("DELETE", "/registry/mode/{subject}"): {Right.SET_POLICY},
}
#: These write and yet ask for no more than reading.
READS = {
    ("POST", "/api/v1/subscriptions"),
    ("POST", "/registry/subjects/{subject}"),
    ("POST", "/registry/compatibility/subjects/{subject}/versions"),
    ("POST", "/registry/compatibility/subjects/{subject}/versions/{version}"),
    ("POST", "/signout"),
    *((method, "/registry/associations") for method in ("POST", "PUT", "DELETE")),
    *((method, "/registry/associations/{rest:path}") for method in ("POST", "PUT", "DELETE")),
}


CONTEXT = "/registry/contexts/{context}"
ASKS |= {(method, path.replace("/registry", CONTEXT, 1)): right for (method, path), right in ASKS.items()}
ASKS[("DELETE", CONTEXT)] = {Right.SET_POLICY}
READS |= {(method, path.replace("/registry", CONTEXT, 1)) for method, path in READS}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, dict[str, str]]]:
    """The whole app, and a token for each right."""
    folder: Path = tmp_path_factory.mktemp("rights")
    file, now = TokenFile(folder / "tokens.json"), datetime(2026, 11, 2, tzinfo=UTC)
    tokens = {right.value: file.add(right.value, [right], now) for right in Right} | {"local": OWN}
    control = ControlPlane(SqliteLog(folder / "control.db"))
    where = Where("b:1", "http://mesh", ("mesh",))
    yield create_app(control, Principals(OWN, file), where, Blind(), profile=Profile.SERVER), tokens  # type: ignore[arg-type]
    control.close()


@pytest.fixture
async def http(served: tuple[Any, dict[str, str]]) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=served[0])
    async with httpx2.AsyncClient(transport=transport, base_url="http://mesh") as client:
        yield client


def bearer(served: tuple[Any, dict[str, str]], name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {served[1][name]}"}


def test_every_route_that_writes_is_in_the_matrix(served: tuple[Any, dict[str, str]]) -> None:
    writing = {(m, p) for m, p in routes_of(served[0]) if m not in ("GET", "HEAD") and p not in OPEN}
    assert writing == set(ASKS) | READS


@pytest.mark.parametrize("name", [*Right, "local"])
async def test_each_principal_gets_exactly_what_its_rights_open(
    served: tuple[Any, dict[str, str]], http: httpx2.AsyncClient, name: str
) -> None:
    rights = {Right.READ, *(Right if name in ("local", Right.ADMIN) else [Right(name)])}
    session = await http.post("/signin", data={"token": served[1][name]})
    cookie = {"Cookie": f"mesh_session={session.cookies['mesh_session']}"}
    wrong: list[str] = []
    for method, path in routes_of(served[0]):
        if path in OPEN or path == "/live":
            continue
        mounted = path.startswith(("/registry", "/api"))
        headers = bearer(served, name) if mounted else cookie
        # A body that no parser takes: a refusal must come before it is looked at.
        answer = await http.request(method, filled(path), content=b"\xff[", headers=headers)
        allowed = bool(rights & ASKS.get((method, path), {Right.READ}))
        # Without a form's secret a page says 403 too, and says why.
        refused = answer.status_code == FORBIDDEN and "right" in answer.text
        if refused is allowed:
            wrong.append(f"{method} {path}: {answer.status_code}")
        http.cookies.clear()
    assert wrong == []


async def test_the_api_says_which_right_is_missing(
    served: tuple[Any, dict[str, str]], http: httpx2.AsyncClient
) -> None:
    answer = await http.post("/api/v1/contracts", json={}, headers=bearer(served, "approve"))
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (body["status"], body["code"]) == (FORBIDDEN, "MESH-S040")
    assert "register" in body["title"]
    assert "mesh token add" in body["next"]


async def test_the_registry_says_which_right_is_missing_in_its_own_shape(
    served: tuple[Any, dict[str, str]], http: httpx2.AsyncClient
) -> None:
    path = f"/registry/subjects/{SUBJECT}/versions"
    answer = await http.post(path, content=b"\xff", headers=bearer(served, "read"))
    assert answer.status_code == FORBIDDEN
    assert answer.headers["content-type"] == "application/vnd.schemaregistry.v1+json"
    assert answer.json()["error_code"] == 40302
    assert "register" in answer.json()["message"]


async def test_a_client_cannot_write_its_own_warrant(
    served: tuple[Any, dict[str, str]], http: httpx2.AsyncClient
) -> None:
    mine = {"rights": [right.value for right in Right], "unowned": "open"}
    body = {"schema": '"string"', "compatibility": "NONE", "warrant": mine}
    headers = bearer(served, "register")
    for method, path in (("POST", "/registry/subjects/free/versions"), ("PUT", "/registry/config")):
        answer = await http.request(method, path, json=body, headers=headers)
        assert answer.status_code == FORBIDDEN, path
    await http.post("/registry/subjects/free/versions", json=body, headers=headers)
    answer = await http.delete("/registry/subjects/free?permanent=true", headers=headers)
    assert answer.status_code in (FORBIDDEN, 404)


async def test_what_somebody_does_is_kept_under_their_name(
    served: tuple[Any, dict[str, str]], http: httpx2.AsyncClient
) -> None:
    body = {"file": "contracts/ops/flights.v1.odcs.yaml", "text": CONTRACT}
    answer = await http.post("/api/v1/contracts", json=body, headers=bearer(served, "register"))
    assert answer.status_code == 201
    found = (await http.get("/api/v1/contracts/ops.flights.v1", headers=bearer(served, "read"))).json()
    assert found["approved_by"].startswith("policy")
