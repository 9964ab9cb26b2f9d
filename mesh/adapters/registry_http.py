"""Registry over Confluent's REST API, whoever serves it. Ids never change, so they are cached."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from mesh.adapters.http import Http
from mesh.errors import RegistryError
from mesh.plan.actual import SubjectFacts
from mesh.schema import AvroSchema, parse_schema


class HttpRegistry:
    """A registry at one address. Raises RegistryError as it answers, UnreachableError when it does not."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._by_id: dict[int, AvroSchema] = {}
        self._ids: dict[tuple[str, str], int] = {}

    def subject(self, name: str) -> SubjectFacts | None:
        """Level and live versions, oldest first; None for a subject that holds neither."""
        status, level = self._http.request("GET", f"/config/{quote(name, safe='')}")
        own = level["compatibilityLevel"] if status == 200 else None
        status, numbers = self._http.request("GET", f"/subjects/{quote(name, safe='')}/versions")
        if status == 404:
            return SubjectFacts(own, ()) if own else None
        self._hold(status, numbers, name)
        return SubjectFacts(own, tuple(self._version(name, number) for number in numbers))

    def register(self, subject: str, schema: AvroSchema) -> int:
        """The schema's id; registering again gives the same one."""
        path = f"/subjects/{quote(subject, safe='')}/versions"
        status, answer = self._http.request("POST", path, {"schema": schema.text})
        self._hold(status, answer, subject)
        return int(answer["id"])

    def set_level(self, subject: str, level: str) -> None:
        """Hold a subject to a compatibility level."""
        path = f"/config/{quote(subject, safe='')}"
        status, answer = self._http.request("PUT", path, {"compatibility": level})
        self._hold(status, answer, subject)

    def schema_id(self, subject: str, schema: AvroSchema) -> int:
        """The id under which the subject holds exactly this schema."""
        known = self._ids.get((subject, schema.text))
        if known is None:
            status, answer = self._http.request(
                "POST", f"/subjects/{quote(subject, safe='')}", {"schema": schema.text}
            )
            self._hold(status, answer, subject)
            known = self._ids[subject, schema.text] = int(answer["id"])
        return known

    def schema(self, schema_id: int) -> AvroSchema:
        """The schema of an id."""
        known = self._by_id.get(schema_id)
        if known is None:
            status, answer = self._http.request("GET", f"/schemas/ids/{schema_id}")
            self._hold(status, answer, f"schema id {schema_id}")
            known = self._by_id[schema_id] = parse_schema(answer["schema"])
        return known

    def _version(self, subject: str, number: int) -> AvroSchema:
        status, answer = self._http.request("GET", f"/subjects/{quote(subject, safe='')}/versions/{number}")
        self._hold(status, answer, subject)
        schema = self._by_id[answer["id"]] = parse_schema(answer["schema"])
        return schema

    def _hold(self, status: int, answer: Any, where: str) -> None:
        if status < 400:
            return
        facts = answer if isinstance(answer, dict) else {}
        message = str(facts.get("message", answer))
        fix = message.partition("run: ")[2] or "mesh plan"
        raise RegistryError(
            message,
            status=status,
            registry_code=int(facts.get("error_code", status)),
            code=f"MESH-R{status}",
            where=where,
            why=f"the registry answered {status}",
            fix=fix,
        )
