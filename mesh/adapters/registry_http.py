"""Registry over Confluent's REST API, whoever serves it. Ids never change, so they are cached.

What is not of the shape that the API has is an answer of nobody: UnreachableError, and nothing of it is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from mesh.adapters.http import Budget, Http
from mesh.adapters.registry_answers import held, number, schema_of, text
from mesh.errors import RegistryError
from mesh.plan.actual import SubjectFacts, VersionFacts
from mesh.rules.ruleset import RuleSet
from mesh.schema import AvroSchema, parse_schema

PAGE = 500
LEVELS = "/mesh/levels"
AT_ONCE = 8
_NOT_SERVED = (404, 405)


class HttpRegistry:
    """A registry at one address. Raises RegistryError as it answers, UnreachableError when it does not."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._by_id: dict[int, AvroSchema] = {}
        self._ids: dict[tuple[str, str], int] = {}

    def subject(self, name: str) -> SubjectFacts | None:
        """Level and live versions, oldest first; None for a subject that holds neither."""
        own = self._level(name)
        status, numbers = self._http.request("GET", f"/subjects/{quote(name, safe='')}/versions")
        if status == 404:
            return SubjectFacts(own, ()) if own else None
        self._hold(status, numbers, name)
        return SubjectFacts(own, tuple(self._version(name, number) for number in numbers))

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
        path = f"/compatibility/subjects/{quote(subject, safe='')}/versions?verbose=true"
        status, answer = self._http.request("POST", path, {"schema": schema.text})
        if status in _NOT_SERVED:
            return None
        if status in (409, 422):
            return str(answer.get("message", answer)) if isinstance(answer, dict) else str(answer)
        self._hold(status, answer, subject)
        if answer.get("is_compatible", True):
            return None
        return "; ".join(map(str, answer.get("messages") or ())) or "it answers that it is incompatible"

    def delete_subject(self, name: str) -> None:
        """Take a subject off the list, with its level; ids of its schemas still answer."""
        for path in (f"/subjects/{quote(name, safe='')}", f"/config/{quote(name, safe='')}"):
            status, answer = self._http.request("DELETE", path)
            if status != 404:
                self._hold(status, answer, name)

    def register(self, subject: str, schema: AvroSchema, rule_set: RuleSet | None = None) -> int:
        """The schema's id; registering again gives the same one. Other registries may drop the rule set."""
        path = f"/subjects/{quote(subject, safe='')}/versions"
        body: dict[str, Any] = {"schema": schema.text}
        if rule_set is not None:
            # Empty, and yet said: left out it would be taken over from the version before.
            body["ruleSet"] = dict(rule_set) or {"domainRules": []}
        status, answer = self._http.request("POST", path, body)
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

    def _every_level(self) -> Mapping[str, str | None] | None:
        status, listed = self._http.request("GET", LEVELS)
        return listed if status == 200 and isinstance(listed, dict) else None

    def _levels(self, names: Collection[str]) -> Mapping[str, str | None]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(names, pool.map(self._level, names), strict=True))

    def _level(self, name: str) -> str | None:
        status, answer = self._http.request("GET", f"/config/{quote(name, safe='')}")
        if status == 404:
            return None
        self._hold(status, answer, name)
        level: str | None = answer.get("compatibilityLevel")
        return level

    def _listed(
        self, names: frozenset[str], prefixes: tuple[str, ...], *, own: bool
    ) -> Mapping[str, list[VersionFacts]] | None:
        """Live versions by subject, oldest first; None when the registry does not list schemas."""
        rows: list[dict[str, Any]] = []
        for page in self._pages():
            if page is None:
                return None
            rows += [row for row in page if row["subject"] in names or row["subject"].startswith(prefixes)]
        found: dict[str, list[VersionFacts]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (row["subject"], row["version"])):
            schema = self._by_id.get(row["id"])
            if schema is None:
                schema = self._by_id[row["id"]] = parse_schema(row["schema"])
            found[row["subject"]].append(VersionFacts(schema, row.get("ruleSet") or ({} if own else None)))
        return found

    def _pages(self) -> Iterator[list[dict[str, Any]] | None]:
        first: object = None
        for offset in range(0, 1_000_000, PAGE):
            status, rows = self._http.request("GET", f"/schemas?offset={offset}&limit={PAGE}")
            if status in _NOT_SERVED:
                yield None
                return
            self._hold(status, rows, "schemas")
            # Some registries know no pages and answer everything every time.
            if not rows or rows[0] == first:
                return
            first = first or rows[0]
            yield rows
            if len(rows) < PAGE:
                return

    def _starting(self, prefixes: tuple[str, ...]) -> list[str]:
        if not prefixes:
            return []
        status, names = self._http.request("GET", "/subjects")
        self._hold(status, names, "subjects")
        return [name for name in names if name.startswith(prefixes)]

    def _version(self, subject: str, number: int) -> VersionFacts:
        status, answer = self._http.request("GET", f"/subjects/{quote(subject, safe='')}/versions/{number}")
        self._hold(status, answer, subject)
        schema = self._by_id[answer["id"]] = parse_schema(answer["schema"])
        return VersionFacts(schema, answer.get("ruleSet"))

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
