"""Registry over Confluent's REST API, whoever serves it. Ids never change, so they are cached.

What is not of the shape that the API has is an answer of nobody: UnreachableError, and nothing of it is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from mesh.adapters.registry_answers import NOT_SERVED, Requests, accept, escaped, understood
from mesh.adapters.registry_listing import listed_versions
from mesh.adapters.registry_schemas import SchemasById
from mesh.event import SchemaKey
from mesh.plan.actual import SubjectFacts, VersionFacts
from mesh.rules.ruleset import RuleSet
from mesh.schema import AvroSchema

LEVELS = "/mesh/levels"
AT_ONCE = 8


class HttpRegistry:
    """A registry at one address. Raises RegistryError as it answers, UnreachableError when it does not."""

    def __init__(self, http: Requests) -> None:
        self._http = http
        self._schemas = SchemasById(http)
        self._ids: dict[tuple[str, str], int] = {}

    def subject(self, name: str) -> SubjectFacts | None:
        """Level and live versions, oldest first; None for a subject that holds neither."""
        own = self._level(name)
        status, numbers = self._http.request("GET", f"/subjects/{escaped(name)}/versions")
        if status == 404:
            return SubjectFacts(own, ()) if own else None
        accept(status, numbers, name)
        with understood(self._http):
            return SubjectFacts(own, tuple(self._version(name, int(number)) for number in numbers))

    def subjects(self, names: Collection[str], prefixes: Collection[str]) -> Mapping[str, SubjectFacts]:
        """Those of these names that are there, and every subject that starts with a prefix.

        One listing for all schemas, and one for all levels where the registry is the mesh's own:
        others do not list levels, and are asked subject by subject. They may keep no rule sets either:
        what they show none of is not known.
        """
        every = self._every_level()
        listed = self._listed(frozenset(names), tuple(prefixes), own=every is not None)
        if listed is None:
            asked = sorted({*names, *self._starting(tuple(prefixes))})
            with ThreadPoolExecutor(AT_ONCE) as pool:
                found = zip(asked, pool.map(self.subject, asked), strict=True)
                return {name: facts for name, facts in found if facts is not None}
        asked = sorted({*names, *listed})
        levels = self._levels(asked) if every is None else every
        return {
            name: SubjectFacts(levels.get(name), tuple(listed.get(name, ())))
            for name in asked
            if levels.get(name) is not None or name in listed
        }

    def refusal(self, subject: str, schema: AvroSchema) -> str | None:
        """Why the registry would not take this schema next; None when it would, or will not say."""
        path = f"/compatibility/subjects/{escaped(subject)}/versions?verbose=true"
        status, answer = self._http.request("POST", path, {"schema": schema.text})
        if status in NOT_SERVED:
            return None
        if status in (409, 422):
            return str(answer.get("message", answer)) if isinstance(answer, dict) else str(answer)
        accept(status, answer, subject)
        with understood(self._http):
            if answer.get("is_compatible", True):
                return None
            said = "; ".join(map(str, answer.get("messages") or ()))
            return said or str(answer.get("reason") or "it answers that it is incompatible")

    def delete_subject(self, name: str) -> None:
        """Take a subject off the list, with its level; ids of its schemas still answer."""
        for path in (f"/subjects/{escaped(name)}", f"/config/{escaped(name)}"):
            status, answer = self._http.request("DELETE", path)
            if status != 404:
                accept(status, answer, name)

    def register(self, subject: str, schema: AvroSchema, rule_set: RuleSet | None = None) -> int:
        """The schema's id; registering again gives the same one. Other registries may drop the rule set."""
        path = f"/subjects/{escaped(subject)}/versions"
        body: dict[str, Any] = {"schema": schema.text}
        if rule_set is not None:
            # Empty, and yet said: left out it would be taken over from the version before.
            body["ruleSet"] = dict(rule_set) or {"domainRules": []}
        status, answer = self._http.request("POST", path, body)
        accept(status, answer, subject)
        with understood(self._http):
            return int(answer["id"])

    def set_level(self, subject: str, level: str) -> None:
        """Hold a subject to a compatibility level."""
        path = f"/config/{escaped(subject)}"
        status, answer = self._http.request("PUT", path, {"compatibility": level})
        accept(status, answer, subject)

    def schema_id(self, subject: str, schema: AvroSchema) -> int:
        """The id under which the subject holds exactly this schema."""
        known = self._ids.get((subject, schema.text))
        if known is None:
            status, answer = self._http.request(
                "POST", f"/subjects/{escaped(subject)}", {"schema": schema.text}
            )
            accept(status, answer, subject)
            with understood(self._http):
                known = self._ids[subject, schema.text] = int(answer["id"])
        return known

    def schema_guid(self, subject: str, schema: AvroSchema) -> UUID:
        """The GUID of a schema that the subject holds. Raises RegistryError where the registry has none."""
        status, answer = self._http.request("POST", f"/subjects/{escaped(subject)}", {"schema": schema.text})
        accept(status, answer, subject)
        with understood(self._http):
            return UUID(answer["guid"])

    def schema(self, schema_id: SchemaKey) -> AvroSchema:
        """The schema of an id or GUID, asked for once; within seconds, because whoever reads has patience."""
        return self._schemas.schema(schema_id)

    def _every_level(self) -> Mapping[str, str | None] | None:
        status, listed = self._http.request("GET", LEVELS)
        return listed if status == 200 and isinstance(listed, dict) else None

    def _levels(self, names: Collection[str]) -> Mapping[str, str | None]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(names, pool.map(self._level, names), strict=True))

    def _level(self, name: str) -> str | None:
        status, answer = self._http.request("GET", f"/config/{escaped(name)}")
        if status == 404:
            return None
        accept(status, answer, name)
        with understood(self._http):
            level: str | None = answer.get("compatibilityLevel")
            return level

    def _listed(
        self, names: frozenset[str], prefixes: tuple[str, ...], *, own: bool
    ) -> Mapping[str, list[VersionFacts]] | None:
        """Live versions by subject, oldest first; None when the registry does not list schemas."""
        rows = listed_versions(self._http)
        if rows is None:
            return None
        found: dict[str, list[VersionFacts]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (row.subject, row.version)):
            if row.subject in names or row.subject.startswith(prefixes):
                schema = self._schemas.learned(row.schema_id, row.body)
                found[row.subject].append(
                    VersionFacts(schema, row.body.get("ruleSet") or ({} if own else None))
                )
        return found

    def _starting(self, prefixes: tuple[str, ...]) -> list[str]:
        if not prefixes:
            return []
        status, names = self._http.request("GET", "/subjects")
        accept(status, names, "subjects")
        with understood(self._http):
            return [name for name in names if name.startswith(prefixes)]

    def _version(self, subject: str, number: int) -> VersionFacts:
        status, answer = self._http.request("GET", f"/subjects/{escaped(subject)}/versions/{number}")
        accept(status, answer, subject)
        with understood(self._http):
            return VersionFacts(self._schemas.learned(int(answer["id"]), answer), answer.get("ruleSet"))
