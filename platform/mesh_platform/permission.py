"""Rights at the routes: each route asks for one, before it reads a byte of the request's body."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mesh_platform.rights import API, EVERY_SUBJECT, REGISTRY, Opening, opening

_MEDIA = "application/vnd.schemaregistry.v1+json"


class Permitted:
    """An ASGI app for those who hold any of some rights."""

    def __init__(self, app: ASGIApp, rights: Opening, refusal: ASGIApp) -> None:
        self._app = app
        self._rights = frozenset(rights)
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = self._rights & scope.get("rights", frozenset())
        await (self._app if allowed else self._refusal)(scope, receive, send)


def permitted(routes: Iterable[Route]) -> list[BaseRoute]:
    """The registry's routes, each behind its right; raises ValueError for one that nobody thought of."""
    found: list[BaseRoute] = []
    for route in routes:
        table = REGISTRY if "subject" in route.param_convertors else EVERY_SUBJECT
        rights = opening(table, route.name.removeprefix("registry:"), route.methods or ())
        route.app = Permitted(route.app, rights, _registry_refusal(rights))
        found.append(route)
    return found


class PermittedRoute(APIRoute):
    """A route of the API behind its right; raises ValueError when it is made and nobody thought of it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, asked only when the principal holds the right."""
        rights, handle = opening(API, self.name, self.methods or ()), super().get_route_handler()

        async def handled(request: Request) -> Response:
            if request.scope.get("rights", frozenset()).isdisjoint(rights):
                raise HTTPException(403, lacking(rights))
            return await handle(request)

        return handled


def lacking(rights: Opening) -> dict[str, str]:
    """What the API says to a principal that lacks a right."""
    return {
        "code": "MESH-S040",
        "what": f"this token may not do that: it needs the right {' or '.join(rights)}",
        "why": "tokens have separate rights, and this one was made without it",
        "fix": f"ask somebody who holds it, or: mesh token add NAME --right {rights[0]}",
    }


def _registry_refusal(rights: Opening) -> ASGIApp:
    told = lacking(rights)
    message = f"Forbidden: {told['code']} {told['what']}; {told['fix']}"
    return JSONResponse({"error_code": 40302, "message": message}, 403, media_type=_MEDIA)
