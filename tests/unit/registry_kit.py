"""Schemas and requests that the tests of the registry's state share."""

from __future__ import annotations

import json
from typing import Any

from mesh_platform.registry import state
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Outcome
from tests.unit.registry_twin import RegistryTwin

SUBJECT = "operations.departures.v1-value"


def record(*fields: str, name: str = "operations.Departure", **more: Any) -> str:
    """A record of optional texts."""
    made = [{"name": field, "type": ["null", "string"], "default": None} for field in fields]
    return json.dumps({"type": "record", "name": name, "fields": made, **more})


def using(name: str, type_name: str) -> str:
    """A record with one field of a type that is defined elsewhere."""
    fields = [{"name": "used", "type": ["null", type_name], "default": None}]
    return json.dumps({"type": "record", "name": name, "fields": fields})


def register(registry: RegistryTwin, text: str, subject: str = SUBJECT, **more: Any) -> Any:
    return registry.send(state.REGISTER, {"subject": subject, "schema": text, **more})


def delete(
    registry: RegistryTwin, subject: str, version: str | None = None, *, permanent: bool = False
) -> Any:
    """Delete a subject or one version of it."""
    body = {"subject": subject, "permanent": permanent}
    if version is None:
        return registry.send(state.DELETE_SUBJECT, body)
    return registry.send(state.DELETE_VERSION, {**body, "version": version})


def erase(registry: RegistryTwin, subject: str = SUBJECT) -> None:
    """Delete a subject for good."""
    delete(registry, subject)
    delete(registry, subject, permanent=True)


def code_of(outcome: Outcome) -> int:
    assert isinstance(outcome, Refusal), outcome
    return outcome.error_code
