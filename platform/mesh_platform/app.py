"""The platform as one ASGI app: `/registry`, `/api/v1`, the catalog's pages, and `/health` for probes.

Denied by default: registry and API are wrapped whole, the pages ask their door; only `/health`, the
sign-in page and static files answer strangers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from mesh.policy import shelve
from mesh_platform.api import create_api
from mesh_platform.auth import BodyLimit, Guarded, Keyring, api_refusal, registry_refusal
from mesh_platform.catalog.decisions import decider
from mesh_platform.catalog.files import contract_route
from mesh_platform.catalog.observer import Observer
from mesh_platform.catalog.reader import CatalogReader
from mesh_platform.control import ControlPlane, RegistryDoor, utc_now
from mesh_platform.door import TokenDoor
from mesh_platform.governance.policies import PolicySource
from mesh_platform.keeper import Keeper
from mesh_platform.permission import permitted
from mesh_platform.principals import Principals
from mesh_platform.profile import Profile
from mesh_platform.registry.http import WholeMount
from mesh_platform.registry.routes import routes as registry_routes
from mesh_platform.web.pages import error_page
from mesh_platform.web.pages import routes as page_routes


@dataclass(frozen=True, slots=True)
class Where:
    """The addresses the platform tells people and clients."""

    bootstrap: str
    url: str
    hosts: tuple[str, ...]  #: Host headers it answers to


def create_app(
    control: ControlPlane,
    principals: Principals,
    where: Where,
    observer: Observer,
    keepers: Sequence[Keeper] = (),
    policies: PolicySource = lambda: shelve(()),
    *,
    profile: Profile = Profile.SERVER,
) -> Starlette:
    """The whole platform over one control plane; `observer` watches the broker while it runs."""
    keyring = Keyring(principals, utc_now)
    api = create_api(control, policies)
    seen = RegistryDoor(control, takes_unowned=profile is Profile.DEVELOPMENT)
    registry = Starlette(routes=permitted(registry_routes(seen)))
    reader = CatalogReader(control, observer, bootstrap=where.bootstrap, registry_url=f"{where.url}/registry")
    door = TokenDoor(keyring)
    pages = page_routes(reader, door, decider(control))

    async def health(_request: Request) -> Response:
        facts: Mapping[str, object] = {
            "status": "ok" if control.lost is None else "lost",
            "broker": observer.broker_answers(),
            "control_log": not control.trouble(),
        }
        return JSONResponse(facts, 200 if control.lost is None else 503)

    failing = error_page()
    return Starlette(
        routes=[
            Route("/health", health, name="health"),
            WholeMount("/registry", Guarded(BodyLimit(registry), keyring, registry_refusal())),
            Mount("/api/v1", Guarded(BodyLimit(api), keyring, api_refusal())),
            contract_route(control.governance, door),
            *pages,
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(where.hosts), www_redirect=False)],
        exception_handlers={HTTPException: failing, 500: failing},
        lifespan=_lifespan(observer, control, keepers),
    )


def _lifespan(
    observer: Observer, control: ControlPlane, keepers: Sequence[Keeper]
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        control.serve_on(asyncio.get_running_loop())
        observer.start()
        for keeper in keepers:
            keeper.start()
        try:
            yield
        finally:
            for keeper in keepers:
                keeper.stop()
            observer.stop()
            control.close()

    return lifespan
