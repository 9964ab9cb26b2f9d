"""The data product: what an ODPS document declares, its ports and the code that feeds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mesh import naming
from mesh.contract import conformity, custom_properties, identities, variables, vocabulary
from mesh.contract.model import Member
from mesh.contract.reading import NO_VARIABLES
from mesh.contract.yaml import Document, Path, plain, read
from mesh.errors import DeclarationError, Finding, UsageError
from mesh.versioning import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """An input port (what is read) or an output port (what is offered); bound to one contract."""

    name: str
    contract_id: str
    version: str = ""
    description: str = ""
    input_contracts: tuple[tuple[str, str], ...] = ()  #: of an output port: id and version of what feeds it
    fields: tuple[str, ...] = ()  #: of an input port: the properties it reads; empty when it does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One data product of one domain."""

    id: str
    name: str
    domain: str
    version: str
    status: str
    type: str
    purpose: str
    team_name: str
    team: tuple[Member, ...]
    input_ports: tuple[Port, ...]
    output_ports: tuple[Port, ...]
    support: tuple[Mapping[str, Any], ...]
    tags: tuple[str, ...]
    implementation: str  #: `package.module:object` that feeds the product; empty when it runs elsewhere
    document: Document = field(repr=False)
    findings: tuple[Finding, ...] = field(default=(), repr=False, compare=False)  #: warnings of its reading

    @property
    def full_name(self) -> str:
        """`<domain>.<product>`."""
        return f"{self.domain}.{self.name}"


def read_product(raw: bytes, file: str, values: Mapping[str, str] = NO_VARIABLES) -> Product:
    """Read one product file; raises DeclarationError whose `findings` name every problem.

    `values` are those of its variables (`${NAME}`). Warnings are kept in `Product.findings`.
    """
    document = read(raw, file)
    found = list(conformity.findings(document, "odps"))
    if not any(finding.severity == "error" for finding in found):
        found += variables.findings(document, values)
        document = variables.resolved(document, values)
        found += _beyond_the_standard(document)
        found += _beyond_the_schema(document)
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
    return replace(_product(document), findings=tuple(found))


def _beyond_the_schema(document: Document) -> Iterator[Finding]:
    """What ODPS asks in its text and its JSON schema cannot say."""
    yield from identities.findings(document)
    yield from vocabulary.dates(document, "productCreatedTs")
    data = document.data
    yield from custom_properties.near_misses(document, data.get("customProperties"), (), "product")
    for index, port in enumerate(data.get("inputPorts") or []):
        path: Path = ("inputPorts", index)
        yield from custom_properties.near_misses(document, port.get("customProperties"), path, "input port")
    for kind in ("outputPorts", "inputPorts"):
        seen: dict[tuple[str, str], int] = {}
        for index, port in enumerate(data.get(kind) or []):
            name = (port["name"], str(port.get("version", "")))
            if name in seen:
                yield Finding(
                    code="MESH-C055",
                    message=f"the port {' '.join(name).strip()!r} stands twice in {kind}",
                    where=document.at(kind, index, "name"),
                    why="name and version together say which port is meant",
                    fix="rename one of them, or give it its own version",
                )
            seen.setdefault(name, index)


def _beyond_the_standard(document: Document) -> Iterator[Finding]:
    """MESH-C050…C054: what the mesh needs and the standard's schema leaves open."""
    data = document.data

    def finding(code: str, message: str, path: Path, why: str, fix: str) -> Finding:
        return Finding(code=code, message=message, where=document.at(*path), why=why, fix=fix)

    for key in ("name", "domain"):
        text = data.get(key)
        if not isinstance(text, str) or not naming.is_slug(text):
            why = "it becomes part of topic names: lower case letters, digits and hyphens, 2 to 63"
            yield finding("MESH-C050", f"{key} is {text!r}", (key,), why, f"write {key}: as-a-slug")
    if not data.get("outputPorts"):
        why = "a product that offers nothing cannot be found or read"
        yield finding(
            "MESH-C051",
            "the product has no output port",
            ("outputPorts",),
            why,
            "add outputPorts: with name and contractId",
        )
    for kind in ("outputPorts", "inputPorts"):
        for index, port in enumerate(data.get(kind) or []):
            if not port.get("contractId"):
                why = "a port is bound to one data contract"
                yield finding(
                    "MESH-C052",
                    f"the port {port['name']!r} names no contractId",
                    (kind, index),
                    why,
                    "write contractId: <domain>.<product>.v1",
                )
            for place, entry in enumerate(port.get("customProperties") or []):
                value = entry["value"]
                if entry["property"] == "fields" and not (
                    isinstance(value, list) and all(isinstance(item, str) for item in value)
                ):
                    yield finding(
                        "MESH-C054",
                        f"fields cannot be {str(value)[:80]!r}",
                        (kind, index, "customProperties", place, "value"),
                        "it lists what the port reads, so that reviews know whom a change concerns",
                        "write fields as a list of property names",
                    )
    try:
        Version.parse(str(data.get("version", "")))
    except UsageError as error:
        yield finding("MESH-C053", error.what, ("version",), error.why, "write version: 1.0.0")


def _product(document: Document) -> Product:
    data = plain(document.data)
    team = data.get("team", {})
    custom = {entry["property"]: entry.get("value", "") for entry in data.get("customProperties", [])}
    return Product(
        id=data["id"],
        name=data["name"],
        domain=data["domain"],
        version=str(data["version"]),
        status=data.get("status", "draft"),
        type=data.get("type", ""),
        purpose=data.get("description", {}).get("purpose", ""),
        team_name=team.get("name", ""),
        team=tuple(
            Member(username=m["username"], name=m.get("name", ""), role=m.get("role", ""))
            for m in team.get("members", [])
        ),
        input_ports=tuple(_port(port) for port in data.get("inputPorts", [])),
        output_ports=tuple(_port(port) for port in data.get("outputPorts", [])),
        support=tuple(data.get("support", [])),
        tags=tuple(data.get("tags", [])),
        implementation=str(custom.get("implementation", "")),
        document=document,
    )


def _port(port: Mapping[str, Any]) -> Port:
    custom = {entry["property"]: entry.get("value", ()) for entry in port.get("customProperties", [])}
    return Port(
        name=port["name"],
        contract_id=port["contractId"],
        version=str(port.get("version", "")),
        description=port.get("description", ""),
        input_contracts=tuple((c["id"], str(c["version"])) for c in port.get("inputContracts", [])),
        fields=tuple(custom.get("fields", ())),
    )
