"""Answers for people: one route per page, each asking the `Door` first who is there.

Behaviour: reading pages answer GET; a visitor the door does not know is sent to `/signin` and back;
what a visitor may not see and what does not exist answer 404 alike; forms answer POST with 303, or
with the page again and the reason when the platform refuses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol, TypeVar, cast
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mesh.errors import MeshError
from mesh_platform.rights import Right
from mesh_platform.web.assets import Assets
from mesh_platform.web.forms import check_token, local_path, read_form
from mesh_platform.web.live import LiveClients
from mesh_platform.web.product_view import ProductView
from mesh_platform.web.rendering import Renderer
from mesh_platform.web.review_view import Decision, ReviewsView, ReviewView
from mesh_platform.web.session import close_session, open_session, session_id
from mesh_platform.web.views import DomainView, HomeView, SearchView, Visitor

QUERY_LENGTH = 256

_View = TypeVar("_View")
_Page = Callable[[Request, Visitor], Awaitable[Response]]
_Endpoint = Callable[[Request], Awaitable[Response]]


class PageReader(Protocol):
    """Everything the pages read; None answers 404, also for what the visitor may not see."""

    async def home(self, visitor: Visitor) -> HomeView:
        """The mesh at a glance."""

    async def domain(self, visitor: Visitor, domain: str) -> DomainView | None:
        """One domain."""

    async def product(self, visitor: Visitor, domain: str, product: str) -> ProductView | None:
        """One data product."""

    async def reviews(self, visitor: Visitor) -> ReviewsView:
        """Open and decided reviews."""

    async def review(self, visitor: Visitor, review_id: str) -> ReviewView | None:
        """One review."""

    async def search(self, visitor: Visitor, query: str) -> SearchView:
        """What a query of 1 to 256 characters finds, at most 100 hits."""

    def changes(self, visitor: Visitor) -> AsyncIterator[str]:
        """Names of what changes from now on: `<domain>.<product>`, a review's id, or `mesh`."""


class Door(Protocol):
    """Who is there, and how people come in and leave."""

    async def visitor(self, request: Request) -> Visitor | None:
        """The visitor of a request; None when they must sign in first."""

    async def sign_in(self, token: str) -> str | None:
        """A new session's id for a good token; None for any other."""

    async def sign_out(self, session: str) -> None:
        """Close a session for good; an unknown one is no error."""


Decide = Callable[[Visitor, Decision], Awaitable[None]]  #: raises MeshError when governance refuses


def utc_now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def routes(
    reader: PageReader,
    door: Door,
    decide: Decide,
    *,
    mesh_name: str = "mesh",
    clock: Callable[[], datetime] = utc_now,
) -> list[Route]:
    """All pages as Starlette routes; add `error_page` to the app for the errors outside them."""
    assets = Assets()
    pages = _Pages(reader, door, decide, Renderer(assets, clock, mesh_name), LiveClients())
    known, anyone = pages.known, pages.anyone
    return [
        Route("/", known(pages.home), name="home"),
        Route("/domains/{domain}", known(pages.domain), name="domain"),
        Route("/products/{domain}/{product}", known(pages.product), name="product"),
        Route("/reviews", known(pages.reviews), name="reviews"),
        Route("/reviews/{review}", known(pages.review), name="review"),
        Route("/reviews/{review}", known(pages.decision, Right.APPROVE), methods=["POST"], name="decision"),
        Route("/search", known(pages.search), name="search"),
        Route("/live", known(pages.live), name="live"),
        Route("/signout", known(pages.sign_out), methods=["POST"], name="signout"),
        Route("/signin", anyone(pages.sign_in_form), name="signin"),
        Route("/signin", anyone(pages.sign_in), methods=["POST"], name="signin-form"),
        Route("/static/{digest}/{name}", assets.answer, name="static"),
    ]


def error_page(
    mesh_name: str = "mesh", clock: Callable[[], datetime] = utc_now
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """A handler for the app's `exception_handlers` (HTTPException and 500): errors with the pages' look."""
    renderer = Renderer(Assets(), clock, mesh_name)

    async def answer(request: Request, error: Exception) -> Response:
        # What nothing else caught may hold internals in its text.
        if not isinstance(error, HTTPException):
            return _error(renderer, request, Visitor(), 500, "")
        return _error(renderer, request, Visitor(), error.status_code, error.detail)

    return answer


@dataclass(frozen=True, slots=True)
class _Pages:
    reader: PageReader
    door: Door
    decide: Decide
    renderer: Renderer
    clients: LiveClients

    def known(self, page: _Page, right: Right = Right.READ) -> _Endpoint:
        """An endpoint for those with a right; strangers are sent to sign in, before anything is read."""

        async def endpoint(request: Request) -> Response:
            visitor = await self.door.visitor(request)
            if visitor is None:
                target = "/" if request.method == "POST" else request.url.path
                return RedirectResponse(f"/signin?next={quote(target)}", 303)
            if right not in visitor.rights:
                detail = f"This needs the right {right}; the token you signed in with was made without it."
                return _error(self.renderer, request, visitor, 403, detail)
            return await self._answer(page, request, visitor)

        return endpoint

    def anyone(self, page: _Page) -> _Endpoint:
        """An endpoint that needs no session: signing in."""

        async def endpoint(request: Request) -> Response:
            return await self._answer(page, request, await self.door.visitor(request) or Visitor())

        return endpoint

    async def _answer(self, page: _Page, request: Request, visitor: Visitor) -> Response:
        try:
            return await page(request, visitor)
        except HTTPException as error:
            return _error(self.renderer, request, visitor, error.status_code, error.detail)

    async def home(self, request: Request, visitor: Visitor) -> Response:
        return self.renderer.page(request, "home.html", visitor, view=await self.reader.home(visitor))

    async def domain(self, request: Request, visitor: Visitor) -> Response:
        view = _found(await self.reader.domain(visitor, request.path_params["domain"]))
        return self.renderer.page(request, "domain.html", visitor, view=view)

    async def product(self, request: Request, visitor: Visitor) -> Response:
        names = request.path_params
        view = _found(await self.reader.product(visitor, names["domain"], names["product"]))
        return self.renderer.page(request, "product.html", visitor, view=view)

    async def reviews(self, request: Request, visitor: Visitor) -> Response:
        return self.renderer.page(request, "reviews.html", visitor, view=await self.reader.reviews(visitor))

    async def review(self, request: Request, visitor: Visitor) -> Response:
        view = _found(await self.reader.review(visitor, request.path_params["review"]))
        return self.renderer.page(request, "review.html", visitor, view=view, refusal=None, reason="")

    async def decision(self, request: Request, visitor: Visitor) -> Response:
        form = await read_form(request)
        check_token(form, visitor.csrf)
        review, reason = request.path_params["review"], form.get("reason", "").strip()
        if form.get("verdict") not in ("approve", "refuse"):
            raise HTTPException(400, "A decision is approve or refuse.")
        verdict = cast(Literal["approve", "refuse"], form["verdict"])
        try:
            await self.decide(visitor, Decision(review=review, verdict=verdict, reason=reason))
        except MeshError as refusal:
            view = _found(await self.reader.review(visitor, review))
            content = {"view": view, "refusal": refusal, "reason": reason}
            return self.renderer.page(request, "review.html", visitor, 409, **content)
        return RedirectResponse(f"/reviews/{quote(review, safe='')}", 303)

    async def search(self, request: Request, visitor: Visitor) -> Response:
        query = " ".join(request.query_params.get("q", "").split())[:QUERY_LENGTH]
        view = await self.reader.search(visitor, query) if query else SearchView(query="")
        return self.renderer.page(request, "search.html", visitor, view=view)

    async def live(self, _: Request, visitor: Visitor) -> Response:
        return self.clients.answer(self.reader.changes(visitor))

    async def sign_in_form(self, request: Request, visitor: Visitor) -> Response:
        target = local_path(request.query_params.get("next", "/"))
        return self.renderer.page(request, "signin.html", visitor, target=target, refused=False)

    async def sign_in(self, request: Request, visitor: Visitor) -> Response:
        form = await read_form(request)
        target = local_path(form.get("next", "/"))
        session = await self.door.sign_in(form.get("token", "").strip())
        if session is None:
            return self.renderer.page(request, "signin.html", visitor, 403, target=target, refused=True)
        answer = RedirectResponse(target, 303)
        open_session(request, answer, session)
        return answer

    async def sign_out(self, request: Request, visitor: Visitor) -> Response:
        check_token(await read_form(request), visitor.csrf)
        session = session_id(request)
        if session is not None:
            await self.door.sign_out(session)
        answer = RedirectResponse("/", 303)
        close_session(request, answer)
        return answer


def _found(view: _View | None) -> _View:
    if view is None:
        raise HTTPException(404)
    return view


def _error(renderer: Renderer, request: Request, visitor: Visitor, status: int, detail: str) -> Response:
    # Starlette's own details for 404 and 405 only repeat the status.
    shown = "" if status in (404, 405) else detail
    return renderer.page(request, "error.html", visitor, status, problem=status, detail=shown)
