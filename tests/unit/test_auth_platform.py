"""Tokens, sessions, and a census of every route: what answers strangers is exactly this."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.routing import Mount, Route

from mesh.errors import UsageError
from mesh_platform.app import Where, create_app
from mesh_platform.auth import MOST_SESSIONS, SESSION_IDLE, SESSION_LIFE, Guarded, Keyring, api_refusal
from mesh_platform.control import ControlPlane
from mesh_platform.log import SqliteLog
from mesh_platform.principals import Principals
from mesh_platform.running import Running, forget, read_running
from mesh_platform.serving import is_loopback, token_for

TOKEN = "t" * 43
OPEN = {"/health", "/signin", "/static/{digest}/{name}"}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keyring(clock: Clock) -> Keyring:
    return Keyring(Principals(TOKEN), clock)


def signed_in(keyring: Keyring) -> str:
    session = keyring.open_session(TOKEN)
    assert session is not None
    return session


def secret(keyring: Keyring, session: str) -> str:
    """The form secret of a live session, empty for any other."""
    found = keyring.visiting(session)
    return found[1] if found else ""


def test_a_platform_without_a_token_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a token"):
        Principals("")


@pytest.mark.parametrize("token", ["", TOKEN[:-1], TOKEN + "t", "T" * 43, "é" * 43, "t" * 20_000])
def test_any_other_token_is_refused(keyring: Keyring, token: str) -> None:
    assert keyring.principal(token) is None


def test_a_session_lives_while_it_is_used(keyring: Keyring, clock: Clock) -> None:
    session = signed_in(keyring)
    first = secret(keyring, session)
    while clock.now < datetime(2026, 11, 2, tzinfo=UTC) + SESSION_LIFE:
        assert secret(keyring, session) == first != ""
        clock.now += SESSION_IDLE
    clock.now += timedelta(seconds=1)
    assert secret(keyring, session) == ""


def test_an_idle_session_ends(keyring: Keyring, clock: Clock) -> None:
    session = signed_in(keyring)
    clock.now += SESSION_IDLE + timedelta(seconds=1)
    assert secret(keyring, session) == ""


def test_signing_out_ends_the_session_for_good(keyring: Keyring) -> None:
    session = signed_in(keyring)
    keyring.close_session(session)
    assert secret(keyring, session) == ""


def test_sessions_and_their_secrets_are_all_different(keyring: Keyring) -> None:
    sessions = [signed_in(keyring) for _ in range(20)]
    assert len({*sessions, *(secret(keyring, session) for session in sessions)}) == 40


def test_the_oldest_session_gives_way_when_there_are_too_many(keyring: Keyring) -> None:
    sessions = [signed_in(keyring) for _ in range(MOST_SESSIONS + 1)]
    assert secret(keyring, sessions[0]) == ""
    assert secret(keyring, sessions[1])


async def test_a_websocket_is_closed_before_the_app_sees_it(keyring: Keyring) -> None:
    async def app(*_: Any) -> None:
        raise AssertionError("the app was asked")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await Guarded(app, keyring, api_refusal())({"type": "websocket", "headers": []}, app, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


class Blind:
    """An observer that has seen nothing."""

    def __init__(self) -> None:
        from mesh_platform.catalog.observed import Observation
        from mesh_platform.quality.view import QualityView

        self.now, self.quality = Observation(), QualityView()

    def broker_answers(self) -> bool | None:
        return None


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Any]:
    control = ControlPlane(SqliteLog(tmp_path / "control.db"))
    yield create_app(control, Principals(TOKEN), Where("b:1", "http://mesh", ("mesh",)), Blind())  # type: ignore[arg-type]
    control.close()


@pytest.fixture
async def stranger(app: Any) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://mesh") as client:
        yield client


def routes_of(app: Any) -> Iterator[tuple[str, str]]:
    """Method and path of every route, inside mounts too, however they are wrapped."""
    for route in app.routes:
        if isinstance(route, Mount):
            inner: Any = route.app
            while not hasattr(inner, "routes"):
                inner = inner._app
            yield from ((method, route.path + path) for method, path in routes_of(inner))
        elif isinstance(route, Route) or hasattr(route, "methods"):
            yield from ((method, route.path) for method in route.methods or {"GET"})
        else:
            raise AssertionError(f"a route of a kind that nobody checks: {route!r}")


def filled(path: str) -> str:
    import re

    return re.sub(r"\{[^}]*\}", "1", path)


def test_the_census_finds_the_registry_the_api_and_the_pages(app: Any) -> None:
    paths = {path for _, path in routes_of(app)}
    assert {"/registry/subjects", "/api/v1/contracts", "/", "/reviews/{review}", "/health"} <= paths
    assert len(paths) > 30


async def test_exactly_these_routes_answer_a_stranger(app: Any, stranger: httpx2.AsyncClient) -> None:
    answering = set()
    for method, path in routes_of(app):
        answer = await stranger.request(method, filled(path), content=b"[" * 1_000)
        turned_away = answer.status_code == 401 or (
            answer.status_code == 303 and answer.headers["location"].startswith("/signin")
        )
        if not turned_away:
            answering.add(path)
    assert answering == OPEN


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1;/health",
        "/api/v1/%2e%2e/health",
        "/health/../api/v1/contracts",
        "//api/v1/contracts",
        "/api/v1/contracts;v=/signin",
        "/static/../api/v1/contracts",
    ],
)
async def test_a_path_in_disguise_gets_nothing_from_the_api(stranger: httpx2.AsyncClient, path: str) -> None:
    answer = await stranger.get(path)
    assert answer.status_code in (303, 401, 404) or answer.json() == {
        "status": "ok",
        "broker": None,
        "control_log": True,
    }


async def test_another_host_name_is_refused(stranger: httpx2.AsyncClient) -> None:
    assert (await stranger.get("/health", headers={"host": "evil.example"})).status_code == 400


async def test_health_tells_no_more_than_whether_it_serves(stranger: httpx2.AsyncClient) -> None:
    assert (await stranger.get("/health")).json() == {"status": "ok", "broker": None, "control_log": True}


def test_a_generated_token_is_long_kept_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    token = token_for(tmp_path / "s", "127.0.0.1", None)
    assert len(token) >= 32
    assert token_for(tmp_path / "s", "127.0.0.1", None) == token
    assert (tmp_path / "s" / "token").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "\n", "short"])
@pytest.mark.parametrize("named", [True, False])
def test_a_token_file_that_is_empty_or_short_never_opens_the_door(
    tmp_path: Path, content: str, named: bool
) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    with pytest.raises(UsageError) as caught:
        token_for(tmp_path, "127.0.0.1", str(file) if named else None)
    assert caught.value.error_code == "MESH-U051"
    assert caught.value.fix


@pytest.mark.parametrize("raw", [None, b"\xff" * 40])
def test_a_token_file_that_cannot_be_read_is_refused(tmp_path: Path, raw: bytes | None) -> None:
    if raw is not None:
        (tmp_path / "named").write_bytes(raw)
    with pytest.raises(UsageError) as caught:
        token_for(tmp_path, "127.0.0.1", str(tmp_path / "named"))
    assert caught.value.error_code == "MESH-U053"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "mesh.example.org"])
def test_beyond_this_machine_there_is_no_default_secret(tmp_path: Path, host: str) -> None:
    with pytest.raises(UsageError) as caught:
        token_for(tmp_path, host, None)
    assert caught.value.error_code == "MESH-U052"
    assert not (tmp_path / "token").exists()


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_what_is_of_this_machine(host: str, local: bool) -> None:
    assert is_loopback(host) is local


def test_what_runs_is_told_and_forgotten(tmp_path: Path) -> None:
    import os

    running = Running(os.getpid(), "embedded", "b:1", "http://p:1")
    running.write(tmp_path)
    assert read_running(tmp_path) == running
    forget(tmp_path)
    assert read_running(tmp_path) is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"pid": 99999999999999999999, "broker": "", "bootstrap": "", "platform_url": ""}'],
)
def test_a_broken_run_file_is_nothing_running(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    assert read_running(tmp_path) is None
