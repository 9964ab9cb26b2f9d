"""Rights at the routes: each route asks for one, before it reads a byte of the request's body."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mesh_platform.rights import API, EVERY_SUBJECT, REGISTRY, Right, right_for

_MEDIA = "application/vnd.schemaregistry.v1+json"


class Permitted:
    """An ASGI app for those who hold one right."""

    def __init__(self, app: ASGIApp, right: Right, refusal: ASGIApp) -> None:
        self._app = app
        self._right = right
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = self._right in scope.get("rights", frozenset())
        await (self._app if allowed else self._refusal)(scope, receive, send)


def permitted(routes: Iterable[Route]) -> list[BaseRoute]:
    """The registry's routes, each behind its right; raises ValueError for one that nobody thought of."""
    found: list[BaseRoute] = []
    for route in routes:
        table = REGISTRY if "subject" in route.param_convertors else EVERY_SUBJECT
        right = right_for(table, route.name.removeprefix("registry:"), route.methods or ())
        route.app = Permitted(route.app, right, _registry_refusal(right))
        found.append(route)
    return found


class PermittedRoute(APIRoute):
    """A route of the API behind its right; raises ValueError when it is made and nobody thought of it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, asked only when the principal holds the right."""
        right, handle = right_for(API, self.name, self.methods or ()), super().get_route_handler()

        async def handled(request: Request) -> Response:
            if right not in request.scope.get("rights", frozenset()):
                raise HTTPException(403, lacking(right))
            return await handle(request)

        return handled


def lacking(right: Right) -> dict[str, str]:
    """What the API says to a principal that lacks a right."""
    return {
        "code": "MESH-S040",
        "what": f"this token may not do that: it needs the right {right}",
        "why": "tokens have separate rights, and this one was made without it",
        "fix": f"ask somebody who holds it, or: mesh token add NAME --right {right}",
    }


def _registry_refusal(right: Right) -> ASGIApp:
    told = lacking(right)
    message = f"Forbidden: {told['code']} {told['what']}; {told['fix']}"
    return JSONResponse({"error_code": 40302, "message": message}, 403, media_type=_MEDIA)
