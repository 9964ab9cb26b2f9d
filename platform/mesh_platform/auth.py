"""Who is asking: a bearer token, or the same token as a basic password (registry clients).

Denied by default: routes are wrapped by object, never matched by path, and the check runs before a
body is read or parsed (security S24, S30).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mesh import limits
from mesh_platform.principals import Principals
from mesh_platform.rights import Principal
from mesh_platform.tokens import digest_of

SESSION_LIFE = timedelta(hours=12)
SESSION_IDLE = timedelta(hours=1)
MOST_SESSIONS = 1_000


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that signed in; `digest` is what is kept of the token that let it in."""

    digest: str
    csrf: str
    opened: datetime
    seen: datetime


class Keyring:
    """Principals by their tokens, and the browser sessions that they opened."""

    def __init__(self, principals: Principals, clock: Callable[[], datetime]) -> None:
        self._principals = principals
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def principal(self, token: str) -> Principal | None:
        """Whose token this is; None for any other."""
        return self._principals.of(token)

    def open_session(self, token: str) -> str | None:
        """A new session's id for a token; the oldest session gives way when there are too many."""
        if self._principals.of(token) is None:
            return None
        now, session = self._clock(), secrets.token_urlsafe(32)
        while len(self._sessions) >= MOST_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        self._sessions[session] = Session(digest_of(token), secrets.token_urlsafe(32), now, now)
        return session

    def visiting(self, session: str) -> tuple[Principal, str] | None:
        """Who a live session belongs to and its form secret; it ends with the token that opened it."""
        found = self._sessions.get(session)
        if found is None:
            return None
        now, principal = self._clock(), self._principals.of_digest(found.digest)
        if principal is None or now - found.opened > SESSION_LIFE or now - found.seen > SESSION_IDLE:
            del self._sessions[session]
            return None
        self._sessions[session] = replace(found, seen=now)
        return principal, found.csrf

    def close_session(self, session: str) -> None:
        """Sign out."""
        self._sessions.pop(session, None)


class Guarded:
    """An ASGI app behind the keyring; what it wraps never sees a request without a principal."""

    def __init__(self, app: ASGIApp, keyring: Keyring, refusal: ASGIApp) -> None:
        self._app = app
        self._keyring = keyring
        self._refuse = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        header = next((value for key, value in scope["headers"] if key == b"authorization"), b"")
        principal = self._keyring.principal(_token(header))
        if principal is None:
            await self._refuse(scope, receive, send)
            return
        scope["principal"], scope["rights"] = principal.name, principal.rights
        await self._app(scope, receive, send)


def api_refusal() -> ASGIApp:
    """For the API: problem+json, saying how to sign in."""
    problem = {
        "type": "about:blank",
        "title": "this platform answers nobody without a token",
        "status": 401,
        "code": "MESH-S401",
        "why": "no token came with the request, or another one",
        "next": "send Authorization: Bearer <token>; mesh token prints the platform's own",
    }
    return JSONResponse(problem, 401, {"WWW-Authenticate": "Bearer"}, media_type="application/problem+json")


def registry_refusal() -> ASGIApp:
    """For registry clients: Confluent's error shape."""
    body = {
        "error_code": 40101,
        "message": "Unauthorized: send a token of the platform as bearer or basic password",
    }
    headers = {"WWW-Authenticate": 'Basic realm="mesh"'}
    return JSONResponse(body, 401, headers, media_type="application/vnd.schemaregistry.v1+json")


def _token(header: bytes) -> str:
    if len(header) > limits.TOKEN_BYTES:
        return ""
    scheme, _, value = header.decode("latin-1").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:  # not base64, or not UTF-8 inside
            return ""
    return ""


class BodyLimit:
    """Refuses a body over the limit while it arrives, before anything parses it."""

    def __init__(self, app: ASGIApp, most: int = limits.BODY_BYTES) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = next((value for key, value in scope["headers"] if key == b"content-length"), b"0")
        if not declared.isdigit() or len(declared) > 18 or int(declared) > self._most:
            await self._too_large()(scope, receive, send)
            return
        taken = 0
        started = False

        async def counted() -> Any:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            return {"type": "http.disconnect"} if taken > self._most else message

        async def answered(message: Any) -> None:
            nonlocal started
            if taken <= self._most or started:
                started = True
                await send(message)

        try:
            await self._app(scope, counted, answered)
        except ClientDisconnect:
            # Told to the app when the body went over; any other disconnect has nobody left to answer.
            started = started or taken <= self._most
        if taken > self._most and not started:
            await self._too_large()(scope, receive, send)

    def _too_large(self) -> ASGIApp:
        # Both shapes at once: problem details for the API, error_code and message for the registry.
        what = f"a request body may have at most {self._most:,} bytes"
        body = {
            "type": "about:blank",
            "title": what,
            "status": 413,
            "code": "MESH-S413",
            "why": "larger input is refused before it is parsed",
            "next": "send less at once",
            "error_code": 413,
            "message": what,
        }
        return JSONResponse(body, 413, media_type="application/problem+json")
