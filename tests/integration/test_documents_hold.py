"""What the platform's two OpenAPI documents say is what it does: requests made from them and against them.

schemathesis makes requests that fit and requests that do not. Whatever comes, the answer is of a status, a
media type and a shape that the document names, and none is a fault of the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.faults.registry.nemesis import Platform, platforms

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
BOUNDED = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with platforms(tmp_path_factory.mktemp("documents")) as running:
        yield running[0]


@pytest.fixture(scope="module")
def registry_document(platform: Platform) -> Any:
    return loaded(platform, "/registry/openapi.json")


@pytest.fixture(scope="module")
def api_document(platform: Platform) -> Any:
    return loaded(platform, "/api/v1/openapi.json")


def loaded(platform: Platform, path: str) -> Any:
    """A document without the phase that tries every keyword of every shape in turn: it takes minutes."""
    headers = {"Authorization": f"Bearer {platform.token}"}
    document = schemathesis.openapi.from_url(f"http://127.0.0.1:{platform.port}{path}", headers=headers)
    document.config.phases.coverage.enabled = False
    return document


registry_operations = schemathesis.pytest.from_fixture("registry_document").exclude(
    path_regex="/contexts/.+/|/associations"  # the same once more, and what is always refused
)
api_operations = schemathesis.pytest.from_fixture("api_document")


@registry_operations.parametrize()
@BOUNDED
def test_the_registry_answers_as_its_document_says(case: Any, platform: Platform) -> None:
    case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {platform.token}"})


@api_operations.parametrize()
@BOUNDED
def test_the_api_answers_as_its_document_says(case: Any, platform: Platform) -> None:
    case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {platform.token}"})
