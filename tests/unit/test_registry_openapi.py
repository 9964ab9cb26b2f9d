"""The registry's OpenAPI document: it describes what is served, in shapes that the answers have."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from mesh_platform.registry.openapi import document
from mesh_platform.registry.openapi.operations import OPERATIONS
from mesh_platform.registry.routes import routes
from tests.unit.registry_twin import RegistryTwin

DOCUMENT: dict[str, Any] = document(routes(RegistryTwin()))


def served() -> set[tuple[str, str]]:
    found = routes(RegistryTwin())
    return {
        (method, route.path.replace(":path}", "}"))
        for route in found
        for method in (route.methods or set()) - {"HEAD"}
    }


def test_every_route_that_is_served_is_described_and_nothing_else() -> None:
    described = {
        (method.upper(), path) for path, operations in DOCUMENT["paths"].items() for method in operations
    }
    assert described == served()


def test_every_operation_that_is_written_down_is_served() -> None:
    plain = {(method, path.removeprefix("/contexts/{context}") or path) for method, path in served()}
    assert set(OPERATIONS) == plain


def test_every_reference_leads_somewhere() -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    for reference in references(DOCUMENT):
        _, section, kind, name = reference.split("/")
        assert name in DOCUMENT[section][kind], reference


def test_operations_have_names_of_their_own() -> None:
    names = [each["operationId"] for path in DOCUMENT["paths"].values() for each in path.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", sorted(DOCUMENT["paths"]))
def test_a_path_names_its_parameters(path: str) -> None:
    named = {part[1:-1] for part in path.split("/") if part.startswith("{")}
    for operation in DOCUMENT["paths"][path].values():
        keys = [parameter["$ref"].rpartition("/")[2] for parameter in operation["parameters"]]
        found = [DOCUMENT["components"]["parameters"][key] for key in keys]
        assert {each["name"] for each in found if each["in"] == "path"} == named


async def test_the_document_is_answered() -> None:
    app = Starlette(routes=routes(RegistryTwin()))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://r") as http:
        answer = await http.get("/openapi.json", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == DOCUMENT
