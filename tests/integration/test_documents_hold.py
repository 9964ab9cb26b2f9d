"""What the platform's two OpenAPI documents say is what it does: requests made from them and against them.

schemathesis makes requests that fit and requests that do not. Whatever comes, the answer is of a status, a
media type and a shape that the document names, and none is a fault of the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette
from starlette.routing import Mount

from mesh_platform.api import create_api
from mesh_platform.auth import BodyLimit, Guarded, Keyring, api_refusal, registry_refusal
from mesh_platform.control import ControlPlane, RegistryDoor
from mesh_platform.log import SqliteLog
from mesh_platform.principals import Principals
from mesh_platform.registry.http import WholeMount
from mesh_platform.registry.routes import routes

TOKEN = "t" * 43
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
BOUNDED = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starlette]:
    control = ControlPlane(SqliteLog(tmp_path_factory.mktemp("documents") / "control.db"))
    keyring = Keyring(Principals(TOKEN), lambda: datetime(2026, 11, 2, tzinfo=UTC))
    registry = Starlette(routes=routes(RegistryDoor(control, takes_unowned=True)))
    yield Starlette(
        routes=[
            WholeMount("/registry", Guarded(BodyLimit(registry), keyring, registry_refusal())),
            Mount("/api/v1", Guarded(BodyLimit(create_api(control)), keyring, api_refusal())),
        ]
    )
    control.close()


@pytest.fixture(scope="module")
def registry_document(platform: Starlette) -> Any:
    document = schemathesis.openapi.from_asgi("/registry/openapi.json", platform, headers=HEADERS)
    return _sliced(document.exclude(path_regex="^/contexts/.+|^/associations"))


@pytest.fixture(scope="module")
def api_document(platform: Starlette) -> Any:
    return _sliced(schemathesis.openapi.from_asgi("/api/v1/openapi.json", platform, headers=HEADERS))


def _sliced(document: Any) -> Any:
    """Without the phase that tries every keyword of every shape in turn: it takes minutes."""
    document.config.phases.coverage.enabled = False
    return document


registry_operations = schemathesis.pytest.from_fixture("registry_document")
api_operations = schemathesis.pytest.from_fixture("api_document")


@registry_operations.parametrize()
@BOUNDED
def test_the_registry_answers_as_its_document_says(case: Any) -> None:
    case.call_and_validate(checks=CHECKS, headers=HEADERS)


@api_operations.parametrize()
@BOUNDED
def test_the_api_answers_as_its_document_says(case: Any) -> None:
    case.call_and_validate(checks=CHECKS, headers=HEADERS)
