"""The shapes of what the registry takes and answers, and its parameters, as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mesh.compatibility import Level
from mesh.schema.strict_json import Json
from mesh_platform.registry.draft import LARGEST
from mesh_platform.registry.settings import Mode

_TEXT: Final[Json] = {"type": "string"}
_FLAG: Final[Json] = {"type": "boolean"}
_NUMBER: Final[Json] = {"type": "integer", "minimum": 1, "maximum": LARGEST}
_TEXTS: Final[Json] = {"type": "array", "items": _TEXT}
_OPEN: Final[Json] = {"type": "object"}
_MODES: Final[Json] = {"type": "string", "enum": [mode.value for mode in Mode]}
_LEVELS: Final[Json] = {"type": "string", "enum": [level.value for level in Level]}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(name: str) -> Json:
    return {"type": "array", "items": _ref(name)}


def _object(needed: tuple[str, ...] = (), /, **properties: Json) -> Json:
    found: dict[str, Json] = {"type": "object", "properties": properties}
    return found | ({"required": list(needed)} if needed else {})


def _nullable(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


_STORED: Final[dict[str, Json]] = {
    "schema": _TEXT,
    "schemaType": {"type": "string", "enum": ["AVRO", "JSON", "PROTOBUF"]},
    "references": _list("Reference"),
    "metadata": _ref("Metadata"),
    "ruleSet": _ref("RuleSet"),
}
_ASKED: Final[dict[str, Json]] = {
    "schema": _TEXT,
    **{name: _nullable(schema) for name, schema in _STORED.items() if name != "schema"},
}
_OF_CONFIG: Final[dict[str, Json]] = {
    "alias": _TEXT,
    "normalize": _FLAG,
    "validateFields": _FLAG,
    "validateNewSchemas": _FLAG,
    "validateRules": _FLAG,
    "compatibilityGroup": _TEXT,
    "compatibilityPolicy": _TEXT,
    "defaultMetadata": _ref("Metadata"),
    "overrideMetadata": _ref("Metadata"),
    "defaultRuleSet": _ref("RuleSet"),
    "overrideRuleSet": _ref("RuleSet"),
}

SCHEMAS: Final[Mapping[str, Json]] = MappingProxyType(
    {
        "Error": _object(
            ("error_code", "message"), error_code={"type": "integer", "minimum": 400}, message=_TEXT
        ),
        "Nothing": {"type": "object", "maxProperties": 0},
        "Document": _OPEN,
        "AnySchema": {},
        "Names": _TEXTS,
        "Number": _NUMBER,
        "Numbers": {"type": "array", "items": {"type": "integer"}},
        "Reference": _object(("name", "subject", "version"), name=_TEXT, subject=_TEXT, version=_NUMBER),
        "Metadata": _object(
            tags={"type": "object", "additionalProperties": _TEXTS},
            properties={"type": "object", "additionalProperties": _TEXT},
            sensitive=_TEXTS,
        ),
        "Rule": _object(
            ("name",),
            name=_TEXT,
            doc=_nullable(_TEXT),
            kind=_nullable({"type": "string", "enum": ["TRANSFORM", "CONDITION"]}),
            mode=_nullable(_TEXT),
            type=_nullable(_TEXT),
            tags=_nullable(_TEXTS),
            params=_nullable({"type": "object", "additionalProperties": _TEXT}),
            expr=_nullable(_TEXT),
            onSuccess=_nullable(_TEXT),
            onFailure=_nullable(_TEXT),
            disabled=_FLAG,
        ),
        "RuleSet": _object(
            migrationRules=_nullable(_list("Rule")),
            domainRules=_nullable(_list("Rule")),
            encodingRules=_nullable(_list("Rule")),
            enableAt=_nullable(_TEXT),
        ),
        "SchemaRequest": {
            "type": "object",
            "required": ["schema"],
            "properties": {**_ASKED, "id": _nullable(_NUMBER), "version": _nullable({"type": "integer"})},
        },
        "TagsRequest": _object(
            tagsToAdd=_nullable(_list("TagOf")),
            tagsToRemove=_nullable(_list("TagOf")),
            newVersion=_nullable(_NUMBER),
            metadata=_nullable(_ref("Metadata")),
            ruleSet=_nullable(_ref("RuleSet")),
            rulesToMerge=_nullable(_ref("RuleSet")),
            rulesToRemove=_nullable(_TEXTS),
        ),
        "TagOf": _object(
            ("schemaEntity", "tags"),
            schemaEntity=_object(
                ("entityType", "entityPath"),
                entityType={"type": "string", "enum": ["sr_record", "sr_field"]},
                entityPath=_TEXT,
            ),
            tags=_TEXTS,
        ),
        "Schema": _object(("schema",), **_STORED, guid=_TEXT, maxId=_NUMBER, schemaTags=_list("TagOf")),
        "Hazard": _object(("code", "path", "what", "why"), code=_TEXT, path=_TEXT, what=_TEXT, why=_TEXT),
        "Hazards": _list("Hazard"),
        "Version": _object(
            ("subject", "version", "id", "schema"),
            subject=_TEXT,
            version=_NUMBER,
            id=_NUMBER,
            guid=_TEXT,
            ts={"type": "integer"},
            deleted=_FLAG,
            aliases=_TEXTS,
            schemaTags=_list("TagOf"),
            **_STORED,
        ),
        "Versions": _list("Version"),
        "SubjectVersion": _object(("subject", "version"), subject=_TEXT, version=_NUMBER),
        "SubjectVersions": _list("SubjectVersion"),
        "ContextIds": {"type": "array", "items": _object(("context", "id"), context=_TEXT, id=_NUMBER)},
        "Compatibility": _object(("is_compatible",), is_compatible=_FLAG, messages=_TEXTS),
        "Config": _object(compatibility=_LEVELS, compatibilityLevel=_LEVELS, **_OF_CONFIG),
        "Levels": {"type": "object", "additionalProperties": _LEVELS},
        "Mode": _object(("mode",), mode=_MODES),
        "ModeRequest": _object(("mode",), mode=_MODES),
    }
)


def _in_path(name: str, schema: Json) -> tuple[str, Json]:
    return name, {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(name: str, schema: Json, sent: str = "") -> tuple[str, Json]:
    return name, {"name": sent or name, "in": "query", "schema": schema}


PARAMETERS: Final[Mapping[str, Json]] = MappingProxyType(
    dict(
        [
            _in_path("subject", {"type": "string", "minLength": 1}),
            _in_path("version", {"type": "string", "pattern": r"^(latest|-1|[1-9][0-9]{0,8})$"}),
            _in_path("id", _NUMBER),
            _in_path("guid", {"type": "string", "format": "uuid"}),
            _in_path("context", {"type": "string", "minLength": 1}),
            _in_path("rest", {"type": "string", "minLength": 1}),
            *(
                _in_query(name, _FLAG)
                for name in (
                    "deleted",
                    "deletedOnly",
                    "deletedAsNegative",
                    "normalize",
                    "permanent",
                    "verbose",
                    "latestOnly",
                    "aliases",
                    "fetchMaxId",
                    "defaultToGlobal",
                    "force",
                    "recursive",
                )
            ),
            *(_in_query(name, {"type": "integer"}) for name in ("offset", "limit")),
            *(_in_query(name, _TEXT) for name in ("subjectPrefix", "contextPrefix", "format")),
            _in_query("referenceFormat", {"type": "string", "enum": ["DEFAULT", "QUALIFIED"]}),
            *(_in_query(name, _TEXTS) for name in ("key", "value", "ruleType", "findTags")),
            _in_query("subjectOfId", _TEXT, sent="subject"),
        ]
    )
)
