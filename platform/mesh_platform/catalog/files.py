"""Contracts as they were written, byte for byte, for whoever is signed in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from mesh_platform.governance.state import GovernanceState
from mesh_platform.web.pages import Door


def contract_route(governance: GovernanceState, door: Door) -> Route:
    """GET /contracts/<id>.odcs.yaml: the text in force; 404 when there is none."""

    async def answer(request: Request) -> Response:
        if await door.visitor(request) is None:
            return RedirectResponse("/signin", 303)
        found = governance.in_force(request.path_params["contract"])
        if found is None:
            return PlainTextResponse("There is no such contract.\n", 404)
        headers = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
        return PlainTextResponse(found.text, media_type="text/plain", headers=headers)

    return Route("/contracts/{contract}.odcs.yaml", answer, name="contract-file")
