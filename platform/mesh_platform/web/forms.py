"""What a form may send, and whether this site's own page sent it.

Two walls against forged requests: the browser's `Sec-Fetch-Site` (or, from older ones, `Origin`)
must name this site, and the session's token must come back in the hidden field.
"""

from __future__ import annotations

import hmac
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

FORM_BYTES = 32 * 1024
FORM_FIELDS = 16


async def read_form(request: Request) -> dict[str, str]:
    """The form's fields. Raises HTTPException 403 for another site's form, 413, 415 or 400."""
    if not _from_this_site(request):
        raise HTTPException(403, "This form was sent from another site.")
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Forms are sent as application/x-www-form-urlencoded.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise HTTPException(413, f"A form holds at most {FORM_BYTES} bytes.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=FORM_FIELDS, errors="strict"
        )
    except ValueError:
        raise HTTPException(400, "The form cannot be read.") from None
    return dict(pairs)


def check_token(form: dict[str, str], expected: str) -> None:
    """Raises HTTPException 403 unless the form carries the session's token."""
    sent = form.get("csrf", "")
    if not expected or not hmac.compare_digest(sent.encode(), expected.encode()):
        raise HTTPException(403, "The form is older than your session. Reload the page and send it again.")


def local_path(path: str) -> str:
    """Where to go after signing in: a path of this site, otherwise the home page."""
    parts = urlsplit(path) if path.isprintable() else None
    if parts is None or parts.scheme or parts.netloc or "\\" in path or not path.startswith("/"):
        return "/"
    return "/" if path.startswith("//") else path


def _from_this_site(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
