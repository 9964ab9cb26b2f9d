"""The document made from the routes themselves: what is served is described, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.routing import Route

from mesh.schema.strict_json import Json, compact
from mesh_platform.registry.http import ANSWER_TYPES, route
from mesh_platform.registry.openapi.components import PARAMETERS, SCHEMAS
from mesh_platform.registry.openapi.operations import NO_BODY, OPERATIONS, Operation

PATH: Final = "/openapi.json"
_CONTEXT: Final = "/contexts/{context}"
_WHY: Final = {
    "400": "The request is not usable",
    "401": "No token of the platform came with the request",
    "403": "The caller has not the right, or no approved contract version covers the schema",
    "404": "There is no such thing",
    "406": "None of the media types asked for is answered",
    "409": "The schema breaks the compatibility that its subject demands, or is not allowed there",
    "413": "The body is larger than what is read",
    "415": "The body is not of a media type that is read",
    "422": "Understood and refused",
    "500": "The registry did not decide in time: the same request may be sent again",
}
_ALWAYS: Final = ("400", "401", "403", "404", "406", "422")
_WITH_BODY: Final = ("413", "415")
_WRITES: Final = ("409", "500")


def described(routes: Sequence[Route]) -> Route:
    """The route that answers with the document of these routes and of itself."""
    text = b""

    async def openapi(request: Request) -> bytes:  # noqa: ARG001
        """GET /openapi.json: this document"""
        nonlocal text
        text = text or compact(document([*routes, served])).encode()
        return text

    served = route("GET", PATH, openapi)
    return served


def document(routes: Sequence[Route]) -> dict[str, Json]:
    """The OpenAPI document; raises KeyError for a route that `OPERATIONS` does not know."""
    paths: dict[str, dict[str, Json]] = {}
    for each in routes:
        path = each.path.replace(":path}", "}")
        plain = path.removeprefix(_CONTEXT) or path
        for method in sorted((each.methods or set()) - {"HEAD"}):
            operation = OPERATIONS[method, plain]
            name = operation.name if plain == path else f"{operation.name}InContext"
            paths.setdefault(path, {})[method.lower()] = _operation(operation, method, path, name)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mesh schema registry",
            "version": "1",
            "description": "Confluent's Schema Registry API; below /mesh what only a mesh has.",
        },
        "servers": [{"url": "/registry"}],
        "security": [{"basic": []}, {"bearer": []}],
        "paths": {path: dict(operations) for path, operations in sorted(paths.items())},
        "components": {
            "schemas": dict(SCHEMAS),
            "parameters": dict(PARAMETERS),
            "responses": {
                status: {"description": why, "content": _content("Error")} for status, why in _WHY.items()
            },
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(operation: Operation, method: str, path: str, name: str) -> dict[str, Json]:
    in_path = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    statuses = [*_ALWAYS, *(_WITH_BODY if operation.body else ())]
    statuses += _WRITES if method != "GET" else ()
    answers: dict[str, Json] = {}
    if operation.answer == NO_BODY:
        answers["204"] = {"description": "Done"}
    elif operation.answer:
        answers["200"] = {"description": "Done", "content": _content(operation.answer)}
    answers |= {status: {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)}
    found: dict[str, Json] = {
        "operationId": name,
        "summary": operation.summary,
        "parameters": [{"$ref": f"#/components/parameters/{key}"} for key in (*in_path, *operation.query)],
        "responses": answers,
    }
    if operation.body:
        found["requestBody"] = {"required": True, "content": _content(operation.body)}
    return found


def _content(schema: str) -> dict[str, Json]:
    reference: Json = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return dict.fromkeys(ANSWER_TYPES, reference)
