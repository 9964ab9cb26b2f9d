"""The edge of the registry's HTTP: media types, strict bodies, raw paths, answers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache, wraps
from typing import Final, TypeVar
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Mount, Route
from starlette.types import ASGIApp, Scope

from mesh import limits
from mesh.schema.strict_json import Json, JsonProblem, compact, read_json
from mesh_platform.registry import errors
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Outcome

DEFAULT_TYPE: Final = "application/vnd.schemaregistry.v1+json"
#: What is answered, best first.
ANSWER_TYPES: Final = (DEFAULT_TYPE, "application/vnd.schemaregistry+json", "application/json")
_BODY_TYPES: Final = (*ANSWER_TYPES, "application/octet-stream")
_BODY_DEPTH: Final = 64
_NOTHING: Final = 1e-9

Item = TypeVar("Item")
Endpoint = Callable[[Request], Awaitable[Outcome | bytes]]


class RequestRefused(Exception):
    """A request that ends here; carries the refusal to answer with."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class RawRoute(Route):
    """A route matched on the path as sent: `%2F` in a subject is part of its name, not a separator."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As `Route.matches`, each path parameter decoded after the path was taken apart."""
        raw = scope.get("raw_path")
        if scope["type"] == "http" and isinstance(raw, bytes):
            path = raw.partition(b"?")[0].decode("latin-1")
            # Mounted, a route sees the path that leads to the mount too.
            if self.path_regex.match(path.removeprefix(scope.get("root_path", ""))) is None:
                return Match.NONE, {}
            scope = {**scope, "path": path}
        match, child = super().matches(scope)
        if match is not Match.NONE:
            try:
                child["path_params"] = {
                    name: unquote(value, errors="strict") if isinstance(value, str) else value
                    for name, value in child["path_params"].items()
                }
            except UnicodeDecodeError:
                return Match.NONE, {}
        return match, child


class WholeMount(Mount):
    """A mount of every path below its own: a line break belongs to a name and does not end the path."""

    def __init__(self, path: str, app: ASGIApp) -> None:
        super().__init__(path, app)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


def route(method: str, path: str, endpoint: Endpoint) -> Route:
    """A route of the registry; refusals become error bodies, values JSON."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        accepted = negotiate(request.headers.get("accept", "*/*"))
        if accepted is None:
            return respond(errors.NOT_ACCEPTABLE.refuse(), DEFAULT_TYPE)
        try:
            return respond(await endpoint(request), accepted)
        except RequestRefused as refused:
            return respond(refused.refusal, accepted)

    return RawRoute(path, answer, methods=[method], name=f"registry:{endpoint.__name__}")


def respond(outcome: Outcome | bytes, media_type: str) -> Response:
    """The HTTP answer for an outcome; bytes are JSON already, None is an answer without a body."""
    if isinstance(outcome, Refusal):
        body = compact({"error_code": outcome.error_code, "message": outcome.message})
        return Response(body, status_code=outcome.status, media_type=media_type)
    if outcome is None:
        return Response(status_code=204)
    return Response(outcome if isinstance(outcome, bytes) else compact(outcome), media_type=media_type)


@lru_cache(maxsize=256)
def negotiate(accept: str) -> str | None:
    """The best media type for an Accept header, or None when none of ours is wanted."""
    best: tuple[float, str] | None = None
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = _weight(parameters)
        for own in ANSWER_TYPES:
            if (
                kind in (own, "*/*", "application/*")
                and weight > _NOTHING
                and (best is None or weight > best[0])
            ):
                best = (weight, own)
    return best[1] if best else None


async def read_body(request: Request) -> dict[str, Json]:
    """The JSON object of a request; raises RequestRefused when too large, not strict or no object."""
    _check_type(request)
    text = await _text(request)
    try:
        body = read_json(text, max_bytes=limits.BODY_BYTES, max_depth=_BODY_DEPTH)
    except JsonProblem as problem:
        raise RequestRefused(
            errors.BAD_REQUEST.refuse(reason=f"The body is not usable JSON: {problem}")
        ) from None
    if not isinstance(body, dict):
        raise RequestRefused(errors.BAD_REQUEST.refuse(reason="The body is not a JSON object"))
    return body


def flag(request: Request, *names: str) -> bool:
    """Whether any of the query parameters says true, in any case."""
    return any(request.query_params.get(name, "").lower() == "true" for name in names)


def page(request: Request, items: Sequence[Item]) -> list[Item]:
    """The items between `offset` and `limit`; no limit when it is absent, zero or negative."""
    offset, limit = _number(request, "offset"), _number(request, "limit")
    start = max(0, offset)
    return list(items[start:] if limit <= 0 else items[start : start + limit])


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name) or "0"
    if len(text) > 10 or not text.removeprefix("-").isdecimal():
        raise RequestRefused(errors.BAD_REQUEST.refuse(reason=f"{name} is a whole number"))
    return int(text)


def _check_type(request: Request) -> None:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestRefused(errors.UNSUPPORTED_MEDIA_TYPE.refuse(reason="compressed bodies are not read"))
    kind = request.headers.get("content-type", DEFAULT_TYPE).partition(";")[0].strip().lower()
    if kind not in _BODY_TYPES:
        raise RequestRefused(errors.UNSUPPORTED_MEDIA_TYPE.refuse(reason=f"got {kind[:80]}"))


async def _text(request: Request) -> str:
    too_large = errors.TOO_LARGE.refuse(limit=limits.BODY_BYTES)
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and len(announced) < 20 and int(announced) > limits.BODY_BYTES:
        raise RequestRefused(too_large)
    parts = bytearray()
    try:
        async for part in request.stream():
            parts += part
            if len(parts) > limits.BODY_BYTES:
                raise RequestRefused(too_large)
    except ClientDisconnect:
        raise RequestRefused(errors.BAD_REQUEST.refuse(reason="The body ended early")) from None
    try:
        return parts.decode()
    except UnicodeDecodeError:
        raise RequestRefused(errors.BAD_REQUEST.refuse(reason="The body is not UTF-8")) from None


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
