"""What each route of the registry is for, what it takes and what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

#: The answer of what has nothing to say: 204.
NO_BODY: Final = "no body"
_PAGE: Final = ("offset", "limit")
_SHOWN: Final = ("deleted", "deletedOnly")
_SHAPE: Final = ("format", "referenceFormat", "findTags")
_SUBJECT: Final = "/subjects/{subject}"
_VERSIONS: Final = f"{_SUBJECT}/versions"
_VERSION: Final = f"{_VERSIONS}/{{version}}"
_ID: Final = "/schemas/ids/{id}"
_GUID: Final = "/schemas/guids/{guid}"
_TEST: Final = f"/compatibility{_VERSIONS}"
_ASSOCIATIONS: Final = (("/associations", "AllAssociations"), ("/associations/{rest}", "Associations"))
_SCOPES: Final = (("", "", "the registry"), ("/{subject}", "Subject", "a subject"))


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: `body` and `answer` are names of schemas; without an answer it always refuses."""

    name: str
    summary: str
    answer: str = ""
    body: str = ""
    query: tuple[str, ...] = ()


def _operations() -> Iterator[tuple[str, str, Operation]]:
    yield "GET", "/", Operation("root", "Whether the registry answers", "Nothing")
    yield "GET", "/openapi.json", Operation("openapi", "This document", "Document")
    yield from _subjects()
    yield from _schemas()
    yield from _settings()
    yield "GET", "/contexts", Operation("contexts", "Contexts", "Names", query=("contextPrefix", *_PAGE))
    yield "DELETE", "/contexts/{context}", Operation("deleteContext", "Delete an empty context", NO_BODY)
    yield "GET", "/v1/metadata/id", Operation("cluster", "Which registry this is", "Document")
    yield "GET", "/v1/metadata/version", Operation("release", "Of which release", "Document")
    told = "Why events of a schema are not safe to decode; nothing when they are"
    yield "GET", f"/mesh{_ID}/hazards", Operation("hazards", told, "Hazards")
    yield "GET", "/mesh/levels", Operation("levels", "The levels that subjects have of their own", "Levels")
    for path, name in _ASSOCIATIONS:
        for method in ("GET", "POST", "PUT", "DELETE"):
            why = "Always 404, on which serializers fall back to the name of the topic"
            yield method, path, Operation(f"{method.lower()}{name}", why)


def _subjects() -> Iterator[tuple[str, str, Operation]]:
    query: tuple[str, ...] = ("subjectPrefix", *_SHOWN, *_PAGE)
    yield "GET", "/subjects", Operation("subjects", "Subjects", "Names", query=query)
    query = ("normalize", "deleted", *_SHAPE)
    told = "Which version of a subject a schema is"
    yield "POST", _SUBJECT, Operation("lookup", told, "Version", "SchemaRequest", query)
    told = "Delete a subject, softly or for good"
    yield "DELETE", _SUBJECT, Operation("deleteSubject", told, "Numbers", query=("permanent",))
    query = ("key", "value", *_SHOWN, *_SHAPE)
    told = "The latest version with these properties of metadata"
    yield "GET", f"{_SUBJECT}/metadata", Operation("versionWithMetadata", told, "Version", query=query)
    query = (*_SHOWN, "deletedAsNegative", *_PAGE)
    yield "GET", _VERSIONS, Operation("versions", "Numbers of versions", "Numbers", query=query)
    told = "Register a schema: the next version, or the one that it is already"
    yield "POST", _VERSIONS, Operation("register", told, "Version", "SchemaRequest", ("normalize",))
    yield "GET", _VERSION, Operation("version", "One version", "Version", query=(*_SHOWN, *_SHAPE))
    told = "Delete a version, softly or for good"
    yield "DELETE", _VERSION, Operation("deleteVersion", told, "Number", query=("permanent",))
    told = "The schema of a version, as it is"
    yield (
        "GET",
        f"{_VERSION}/schema",
        Operation("versionSchema", told, "AnySchema", query=(*_SHOWN, "format")),
    )
    told, query = "Ids of schemas that refer to a version", (*_SHOWN, *_PAGE)
    yield "GET", f"{_VERSION}/referencedby", Operation("referencedBy", told, "Numbers", query=query)
    told = "A version as the latest, with tags added or removed"
    yield "POST", f"{_VERSION}/tags", Operation("tags", told, "Version", "TagsRequest")
    query = ("normalize", "verbose")
    told = "Whether a schema could follow what its subject's level compares it with"
    yield "POST", _TEST, Operation("compatible", told, "Compatibility", "SchemaRequest", query)
    told = "Whether a schema could follow one version"
    path = f"{_TEST}/{{version}}"
    yield "POST", path, Operation("compatibleWithVersion", told, "Compatibility", "SchemaRequest", query)


def _schemas() -> Iterator[tuple[str, str, Operation]]:
    query: tuple[str, ...] = ("subjectPrefix", "latestOnly", "ruleType", "aliases", *_SHOWN, *_PAGE)
    yield "GET", "/schemas", Operation("schemas", "Versions of all subjects", "Versions", query=query)
    yield "GET", "/schemas/types", Operation("types", "Kinds of schemas", "Names")
    query = ("subjectOfId", "fetchMaxId", *_SHAPE)
    yield "GET", _ID, Operation("byId", "The schema of an id", "Schema", query=query)
    told = "The schema of an id, as it is"
    yield "GET", f"{_ID}/schema", Operation("schemaById", told, "AnySchema", query=("subjectOfId", "format"))
    query = ("subjectOfId", *_SHOWN, *_PAGE)
    yield "GET", f"{_ID}/subjects", Operation("subjectsById", "Where an id is used", "Names", query=query)
    told = "Versions that have an id"
    yield "GET", f"{_ID}/versions", Operation("versionsById", told, "SubjectVersions", query=query)
    yield "GET", _GUID, Operation("byGuid", "The schema of a guid", "Schema", query=_SHAPE)
    yield "GET", f"{_GUID}/ids", Operation("idsByGuid", "The ids of a guid", "ContextIds")


def _settings() -> Iterator[tuple[str, str, Operation]]:
    inherited = ("defaultToGlobal",)
    for scope, name, whose in _SCOPES:
        config, mode = f"/config{scope}", f"/mode{scope}"
        yield "GET", config, Operation(f"config{name}", f"Settings of {whose}", "Config", query=inherited)
        told = f"Change settings of {whose}"
        yield "PUT", config, Operation(f"setConfig{name}", told, "Config", "Config")
        told = f"Drop the settings of {whose}"
        yield "DELETE", config, Operation(f"deleteConfig{name}", told, "Config")
        yield "GET", mode, Operation(f"mode{name}", f"The mode of {whose}", "Mode", query=inherited)
        told = f"Change the mode of {whose}"
        yield "PUT", mode, Operation(f"setMode{name}", told, "Mode", "ModeRequest", ("force",))
        told = f"Drop the mode of {whose}"
        yield "DELETE", mode, Operation(f"deleteMode{name}", told, "Mode", query=("recursive",))


#: By method and path, without `/contexts/{context}` before it.
OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = MappingProxyType(
    {(method, path): operation for method, path, operation in _operations()}
)
