"""The session cookie: an opaque id, unreadable to scripts, sent by this site's own pages only."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

HOURS = 12
THEMES = ("light", "dark")


def session_id(request: Request) -> str | None:
    """The session the browser sent, if any; whether it is still open is for the `Door` to say."""
    return request.cookies.get(_cookie(request))


def open_session(request: Request, response: Response, session: str) -> None:
    """Keep the session in the browser for 12 hours."""
    response.set_cookie(
        _cookie(request),
        session,
        max_age=HOURS * 3600,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def close_session(request: Request, response: Response) -> None:
    """Make the browser forget the session."""
    response.delete_cookie(
        _cookie(request), path="/", secure=request.url.scheme == "https", httponly=True, samesite="lax"
    )


def theme(request: Request) -> str:
    """`light`, `dark`, or empty for what the system prefers."""
    chosen = request.cookies.get("mesh_theme", "")
    return chosen if chosen in THEMES else ""


def _cookie(request: Request) -> str:
    # `__Host-` binds the cookie to this host, but browsers take it over https only.
    return "__Host-mesh_session" if request.url.scheme == "https" else "mesh_session"
