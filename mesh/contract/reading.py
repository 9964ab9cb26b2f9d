"""From an ODCS document to a Contract: the standard's schema first, then what it cannot say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import Any

from mesh import limits
from mesh.contract import conformity, durations, service_levels, variables
from mesh.contract.checks import beyond_the_schema
from mesh.contract.completeness import beyond_the_standard
from mesh.contract.elements import schema_objects
from mesh.contract.model import (
    OPERATORS,
    Contract,
    Member,
    Property,
    QualityRule,
    ServiceLevel,
    TopicSettings,
)
from mesh.contract.options import bounds
from mesh.contract.yaml import Document, Path, plain, read
from mesh.errors import DeclarationError, Finding, Location
from mesh.versioning import Version

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


def read_contract(raw: bytes, file: str, values: Mapping[str, str] = NO_VARIABLES) -> Contract:
    """Read one contract file; raises DeclarationError whose `findings` name every problem.

    `values` are those of its variables (`${NAME}`). Warnings are kept in `Contract.findings`.
    """
    document = read(raw, file)
    found = list(conformity.findings(document, "odcs"))
    if not any(finding.severity == "error" for finding in found):
        unresolved = variables.findings(document, values)
        document = variables.resolved(document, values)
        asked = (_asked_by_the_mesh(finding) for finding in beyond_the_standard(document))
        found += _bounded(chain(unresolved, asked, beyond_the_schema(document)))
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise DeclarationError(
            first.message + more,
            code=first.code,
            where=first.where,
            why=first.why,
            fix=first.fix,
            findings=found,
        )
    return replace(_contract(document), findings=tuple(found))


def _bounded(found: Iterator[Finding]) -> Iterator[Finding]:
    """So many of each severity as somebody may read; an error stays one, whatever stands before it."""
    counts: Counter[str] = Counter()
    for finding in found:
        counts[finding.severity] += 1
        if counts[finding.severity] <= limits.FINDINGS:
            yield finding
        elif finding.severity == "error":
            return


def _asked_by_the_mesh(finding: Finding) -> Finding:
    return replace(finding, why=f"{finding.why} (the file is valid ODCS; the mesh asks for more)")


def _contract(document: Document) -> Contract:
    data = plain(document.data)
    schema = data["schema"][0]
    custom = _custom(schema)
    levels = tuple(
        ServiceLevel(
            property=entry["property"],
            value=entry.get("value"),
            unit=str(entry.get("unit", "")),
            element=str(entry.get("element", "")),
            description=str(entry.get("description", "")),
        )
        for entry in data.get("slaProperties", [])
    )
    description = data.get("description", {})
    team = data.get("team", {})
    members = team.get("members", []) if isinstance(team, dict) else team
    properties = tuple(
        _property(item, document, ("schema", 0, "properties", i))
        for i, item in enumerate(schema["properties"])
    )
    return Contract(
        id=data["id"],
        name=data.get("name", data["id"]),
        version=Version.parse(data["version"]),
        status=data.get("status", "draft"),
        domain=data["domain"],
        topic=schema["physicalName"],
        schema_name=schema["name"],
        properties=properties,
        quality=tuple(_quality(document)),
        service_levels=levels,
        settings=TopicSettings(
            partitions=custom.get("partitions", 1),
            cleanup_policy=custom.get("cleanupPolicy", "delete"),
            retention_ms=_retention(custom, levels),
            min_insync_replicas=custom.get("minInsyncReplicas"),
            max_message_bytes=custom.get("maxMessageBytes"),
        ),
        event_time=custom.get("eventTime"),
        compatibility=custom.get("compatibility", "BACKWARD"),
        purpose=description.get("purpose", ""),
        usage=description.get("usage", ""),
        limitations=description.get("limitations", ""),
        team_name=team.get("name", "") if isinstance(team, dict) else "",
        team=tuple(
            Member(username=m["username"], name=m.get("name", ""), role=m.get("role", "")) for m in members
        ),
        tags=tuple(data.get("tags", [])),
        support=tuple(data.get("support", [])),
        custom=custom,
        document=document,
    )


def _custom(element: Mapping[str, Any]) -> dict[str, Any]:
    entries = element.get("customProperties", [])
    return {entry["property"]: entry["value"] for entry in entries if "value" in entry}


def _retention(custom: Mapping[str, Any], levels: tuple[ServiceLevel, ...]) -> int:
    if "retention" in custom:
        wanted = durations.milliseconds(custom["retention"])
        return durations.FOREVER if wanted is None else wanted
    for level in levels:
        if service_levels.canonical(level.property) == "retention":
            return durations.from_unit(level.value, level.unit)
    return durations.FOREVER


def _property(item: Mapping[str, Any], document: Document, path: Path) -> Property:
    position = item.get("primaryKeyPosition", 1)
    where: Location = document.at(*path)
    nested = item.get("properties", [])
    inner, values = item.get("items"), item.get("map", {}).get("value")
    return Property(
        name=item.get("name", "item"),
        logical_type=item.get("logicalType", "string"),
        description=item.get("description", ""),
        required=item.get("required", False),
        unique=item.get("unique", False),
        primary_key=max(position, 1) if item.get("primaryKey") else None,
        deprecated=item.get("deprecated", False),
        semantic_type=item.get("semanticType", ""),
        classification=item.get("classification", ""),
        options=bounds(item.get("logicalTypeOptions", {})),
        enum=tuple(_values(item.get("enum", []))),
        properties=tuple(_property(p, document, (*path, "properties", i)) for i, p in enumerate(nested)),
        items=_property(inner, document, (*path, "items")) if inner else None,
        values=_property(values, document, (*path, "map", "value")) if values else None,
        examples=tuple(item.get("examples", [])),
        references=tuple(_leads_to(item)),
        tags=tuple(item.get("tags", [])),
        custom=_custom(item),
        where=where,
    )


def _values(entries: list[Any]) -> Iterator[Any]:
    # An entry whose value is null has lost it in `plain`; whether null is a value, `required` says.
    for entry in entries:
        if not isinstance(entry, dict):
            yield entry
        elif "value" in entry:
            yield entry["value"]


def _leads_to(item: Mapping[str, Any]) -> Iterator[str]:
    for relation in item.get("relationships", []):
        to = relation.get("to", [])
        yield from to if isinstance(to, list) else [to]


def _quality(document: Document) -> Iterator[QualityRule]:
    for schema in schema_objects(document.data):
        for index, rule in enumerate(schema.item.get("quality") or []):
            yield _rule(plain(rule), None, document.at(*schema.path, "quality", index))
        for element in schema.elements():
            for index, rule in enumerate(element.item.get("quality") or []):
                where = document.at(*element.path, "quality", index)
                yield _rule(plain(rule), element.name, where)


def _rule(rule: Mapping[str, Any], name: str | None, where: Location) -> QualityRule:
    metric = rule.get("metric", rule.get("rule", ""))
    kind = "library" if metric else rule.get("type", "library")
    operator = next((op for op in OPERATORS if op in rule), "")
    label = metric or rule.get("engine") or kind
    return QualityRule(
        name=rule.get("name") or rule.get("id") or f"{label} of {name or _subject(rule)}",
        kind=kind,
        property=name,
        metric=metric,
        arguments=rule.get("arguments", {}),
        operator=operator,
        threshold=rule.get(operator) if operator else None,
        unit=rule.get("unit", "rows"),
        severity=rule.get("severity", "error"),
        dimension=rule.get("dimension", ""),
        description=rule.get("description", ""),
        engine=rule.get("engine", ""),
        implementation=rule.get("implementation"),
        query=rule.get("query", ""),
        where=where,
    )


def _subject(rule: Mapping[str, Any]) -> str:
    together = rule.get("arguments", {}).get("properties", [])
    return "+".join(map(str, together if isinstance(together, list) else [together])) or "the events"
