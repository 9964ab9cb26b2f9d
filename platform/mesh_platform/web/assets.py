"""The pages' own style sheet, script and icon, served under a name that changes with the content."""

from __future__ import annotations

import hashlib
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response

MEDIA = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
FILES = ("mesh.css", "mesh.js", "mesh.svg")


class Assets:
    """Static files held in memory; a browser may keep each for ever, since its URL names its bytes."""

    def __init__(self) -> None:
        folder = resources.files("mesh_platform.web") / "static"
        self._bytes = {name: (folder / name).read_bytes() for name in FILES}
        self._digest = {name: hashlib.sha256(body).hexdigest()[:12] for name, body in self._bytes.items()}

    def url(self, name: str) -> str:
        """The path of a file in its present state."""
        return f"/static/{self._digest[name]}/{name}"

    async def answer(self, request: Request) -> Response:
        """Serve one file; an old digest gets the present bytes, not to be kept."""
        name = request.path_params["name"]
        body = self._bytes.get(name)
        if body is None:
            return Response(status_code=404)
        current = request.path_params["digest"] == self._digest[name]
        return Response(
            body,
            media_type=MEDIA[name.rsplit(".", 1)[1]],
            headers={
                "cache-control": "public, max-age=31536000, immutable" if current else "no-store",
                "x-content-type-options": "nosniff",
            },
        )
