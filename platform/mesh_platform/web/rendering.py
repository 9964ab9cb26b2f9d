"""Templates to responses: our own files only, everything escaped, every page under a strict policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from mesh.change import Change
from mesh.change.html import changes_html
from mesh_platform.web import drawing, markdown, snippets, sparkline, words
from mesh_platform.web.assets import Assets
from mesh_platform.web.session import theme
from mesh_platform.web.views import Visitor

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class Renderer:
    """Turns a view into a page; the clock tells how long ago things were."""

    def __init__(self, assets: Assets, clock: Callable[[], datetime], mesh_name: str) -> None:
        self._clock = clock
        self._templates = Environment(
            loader=PackageLoader("mesh_platform.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            count=words.count,
            short_count=words.short_count,
            plural=words.plural,
            moment=words.moment,
            window=words.window,
            pretty_json=words.pretty_json,
            shortened=words.shortened,
            markdown=markdown.to_html,
            safe_url=markdown.safe_url,
            draw=drawing.draw,
            changes=_changes,
            bars=sparkline.bars,
            in_words=sparkline.in_words,
        )
        self._templates.globals.update(asset=assets.url, mesh_name=mesh_name, snippets=snippets.snippets)

    def page(
        self, request: Request, template: str, visitor: Visitor, status: int = 200, **content: Any
    ) -> HTMLResponse:
        """Render one template; `content` are its names, and a missing one is an error."""
        text = self._templates.get_template(template).render(
            visitor=visitor,
            path=request.url.path,
            theme=theme(request),
            ago=partial(words.ago, now=self._clock()),
            **content,
        )
        return HTMLResponse(text, status, headers=HEADERS)


def _changes(changes: Iterable[Change]) -> Markup:
    # The fragment escapes all that comes from a contract.
    return Markup(changes_html(changes))
