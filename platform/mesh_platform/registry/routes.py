"""The registry's paths: Confluent's, for Avro, in the default context; below `/mesh/` our own."""

from __future__ import annotations

from starlette.routing import Route

from mesh_platform.registry.http import route
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
_ASSOCIATIONS = ("/associations", "/associations/{rest:path}")


def routes(registry: RegistryService) -> list[Route]:
    """Every route of the registry, for any Starlette application."""
    read, write = Reads(registry), Writes(registry)
    found = [
        route("GET", "/", read.root),
        route("GET", _ID, read.by_id),
        route("GET", f"{_ID}/schema", read.schema_by_id),
        route("GET", f"{_ID}/subjects", read.subjects_by_id),
        route("GET", f"{_ID}/versions", read.versions_by_id),
        route("GET", _GUID, read.by_guid),
        route("GET", f"{_GUID}/ids", read.ids_by_guid),
        route("GET", "/schemas/types", read.types),
        route("GET", "/schemas", read.schemas),
        route("GET", "/subjects", read.subjects),
        route("POST", _SUBJECT, read.lookup),
        route("DELETE", _SUBJECT, write.delete_subject),
        route("GET", f"{_SUBJECT}/metadata", read.latest_with_metadata),
        route("GET", _VERSIONS, read.versions),
        route("POST", _VERSIONS, write.register),
        route("GET", _VERSION, read.version),
        route("DELETE", _VERSION, write.delete_version),
        route("GET", f"{_VERSION}/schema", read.version_schema),
        route("GET", f"{_VERSION}/referencedby", read.referenced_by),
        route("POST", f"{_COMPATIBILITY}/{{version}}", write.compatible_with_version),
        route("POST", _COMPATIBILITY, write.compatible),
        route("GET", "/config", read.config),
        route("PUT", "/config", write.set_config),
        route("DELETE", "/config", write.delete_config),
        route("GET", "/config/{subject}", read.subject_config),
        route("PUT", "/config/{subject}", write.set_config),
        route("DELETE", "/config/{subject}", write.delete_config),
        route("GET", "/mode", read.mode),
        route("PUT", "/mode", write.set_mode),
        route("DELETE", "/mode", write.delete_mode),
        route("GET", "/mode/{subject}", read.subject_mode),
        route("PUT", "/mode/{subject}", write.set_mode),
        route("DELETE", "/mode/{subject}", write.delete_mode),
        route("GET", "/contexts", read.contexts),
        route("GET", "/mesh/levels", read.levels),
        *(
            route(method, path, read.associations)
            for path in _ASSOCIATIONS
            for method in ("GET", "POST", "PUT", "DELETE")
        ),
    ]
    return [*found, described(found)]
