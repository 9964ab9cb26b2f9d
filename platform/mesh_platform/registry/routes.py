"""The registry's paths: Confluent's, each also below `/contexts/{context}`; below `/mesh/` our own."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.routing import Route

from mesh_platform.registry.by_id import ById
from mesh_platform.registry.http import Endpoint, route
from mesh_platform.registry.openapi import described
from mesh_platform.registry.reads import Reads
from mesh_platform.registry.service import RegistryService
from mesh_platform.registry.writes import Writes

_SUBJECT = "/subjects/{subject}"
_VERSIONS = f"{_SUBJECT}/versions"
_VERSION = f"{_VERSIONS}/{{version}}"
_ID = "/schemas/ids/{id}"
_GUID = "/schemas/guids/{guid}"
_COMPATIBILITY = f"/compatibility{_VERSIONS}"
_CONTEXT = "/contexts/{context}"
_SCOPES = ("", "/{subject}")
_ASSOCIATIONS = ("/associations", "/associations/{rest:path}")


def routes(registry: RegistryService) -> list[Route]:
    """Every route of the registry, for any Starlette application."""
    table = list(_table(registry))
    found = [
        *(route(method, path, endpoint) for method, path, endpoint in table),
        *_contexts(registry),
        *(route(method, f"{_CONTEXT}{path}", endpoint) for method, path, endpoint in table),
        *_elsewhere(registry),
    ]
    return [*found, described(found)]


def _table(registry: RegistryService) -> Iterator[tuple[str, str, Endpoint]]:
    read, write, by_id = Reads(registry), Writes(registry), ById(registry)
    yield "GET", "/", read.root
    yield "GET", _ID, by_id.by_id
    yield "GET", f"{_ID}/schema", by_id.schema_by_id
    yield "GET", f"{_ID}/subjects", by_id.subjects_by_id
    yield "GET", f"{_ID}/versions", by_id.versions_by_id
    yield "GET", _GUID, by_id.by_guid
    yield "GET", f"{_GUID}/ids", by_id.ids_by_guid
    yield "GET", "/schemas/types", read.types
    yield "GET", "/schemas", read.schemas
    yield "GET", "/subjects", read.subjects
    yield "POST", _SUBJECT, read.lookup
    yield "DELETE", _SUBJECT, write.delete_subject
    yield "GET", f"{_SUBJECT}/metadata", read.latest_with_metadata
    yield "GET", _VERSIONS, read.versions
    yield "POST", _VERSIONS, write.register
    yield "GET", _VERSION, read.version
    yield "DELETE", _VERSION, write.delete_version
    yield "GET", f"{_VERSION}/schema", read.version_schema
    yield "GET", f"{_VERSION}/referencedby", read.referenced_by
    yield "POST", f"{_VERSION}/tags", write.tag
    yield "POST", f"{_COMPATIBILITY}/{{version}}", write.compatible_with_version
    yield "POST", _COMPATIBILITY, write.compatible
    for scope in _SCOPES:
        yield "GET", f"/config{scope}", read.config
        yield "PUT", f"/config{scope}", write.set_config
        yield "DELETE", f"/config{scope}", write.delete_config
        yield "GET", f"/mode{scope}", read.mode
        yield "PUT", f"/mode{scope}", write.set_mode
        yield "DELETE", f"/mode{scope}", write.delete_mode
    for path in _ASSOCIATIONS:
        for method in ("GET", "POST", "PUT", "DELETE"):
            yield method, path, read.associations


def _contexts(registry: RegistryService) -> Iterator[Route]:
    yield route("GET", "/contexts", Reads(registry).contexts)
    yield route("DELETE", _CONTEXT, Writes(registry).delete_context)


def _elsewhere(registry: RegistryService) -> Iterator[Route]:
    read = Reads(registry)
    yield route("GET", "/v1/metadata/id", read.cluster)
    yield route("GET", "/v1/metadata/version", read.release)
    yield route("GET", "/mesh/levels", read.levels)
    yield route("GET", f"/mesh{_ID}/hazards", ById(registry).hazards)
