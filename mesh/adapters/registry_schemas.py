"""Schemas by id, with the types that they refer to; asked for once, because an id keeps its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from mesh.adapters.http import Budget
from mesh.adapters.registry_answers import Requests, accept, avro_text, escaped, understood
from mesh.errors import RegistryError
from mesh.event import SchemaKey
from mesh.schema import AvroSchema, parse_any_schema, parse_schema

#: One look: whoever needs the schema asks again, and other partitions wait no longer than this.
LOOK = Budget(seconds=2.0, tries=2, silence=1.0)
REFERENCES = 100
DEPTH = 16


class SchemasById:
    """The schemas of one registry, cached for ever: there are as many as a mesh has, not as events."""

    def __init__(self, http: Requests) -> None:
        self._http = http
        self._by_id: dict[SchemaKey, AvroSchema] = {}

    def schema(self, schema_id: SchemaKey) -> AvroSchema:
        """The schema of an id or GUID. Raises RegistryError, SchemaError or UnreachableError."""
        known = self._by_id.get(schema_id)
        if known is None:
            where = f"schema id {schema_id}"
            kind = "guids" if isinstance(schema_id, UUID) else "ids"
            status, answer = self._http.request("GET", f"/schemas/{kind}/{schema_id}", budget=LOOK)
            accept(status, answer, where)
            with understood(self._http):
                known = self._by_id[schema_id] = self._parsed(answer, where)
        return known

    def learned(self, schema_id: int, body: Mapping[str, Any]) -> AvroSchema:
        """The schema of an answer that named its id."""
        known = self._by_id.get(schema_id)
        if known is None:
            known = self._by_id[schema_id] = self._parsed(body, f"schema id {schema_id}")
        return known

    def _parsed(self, body: Mapping[str, Any], where: str) -> AvroSchema:
        text = avro_text(body, where)
        references = body.get("references") or []
        if not references:
            return parse_schema(text)
        elsewhere = self._referred(references, where, 0, [])
        return parse_schema(parse_any_schema(text, elsewhere).complete_text())

    def _referred(
        self, references: list[Mapping[str, Any]], where: str, depth: int, found: list[AvroSchema]
    ) -> list[AvroSchema]:
        """The schemas that are referred to, each after those that it refers to itself."""
        for reference in references:
            subject, version = str(reference["subject"]), int(reference["version"])
            if depth >= DEPTH or len(found) >= REFERENCES:
                raise RegistryError(
                    f"{where} refers to too many schemas",
                    code="MESH-R003",
                    where=where,
                    why=f"it may refer to {REFERENCES}, {DEPTH} deep",
                    fix="write the types into one schema",
                )
            path = f"/subjects/{escaped(subject)}/versions/{version}?deleted=true"
            status, answer = self._http.request("GET", path, budget=LOOK)
            _accept_reference(status, answer, where)
            below = self._referred(answer.get("references") or [], where, depth + 1, found)
            found.append(parse_any_schema(avro_text(answer, f"{subject} {version}"), tuple(below)))
        return found


def _accept_reference(status: int, answer: Any, where: str) -> None:
    """A reference that is gone makes the schema useless, and must not pass for an unknown id."""
    try:
        accept(status, answer, where)
    except RegistryError as error:
        if error.status != 404:
            raise
        raise RegistryError(
            f"{where} refers to a schema that the registry does not have",
            code="MESH-R004",
            where=where,
            why=error.what,
            fix="register what it refers to",
        ) from error
