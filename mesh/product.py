"""The data product: what an ODPS document declares, its ports and the code that feeds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh import naming
from mesh.contract import validation
from mesh.contract.model import Member
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

    @property
    def full_name(self) -> str:
        """`<domain>.<product>`."""
        return f"{self.domain}.{self.name}"


def read_product(raw: bytes, file: str) -> Product:
    """Read one product file; raises DeclarationError whose `findings` name every problem."""
    document = read(raw, file)
    found = list(validation.findings(document, "odps-v1.1.0")) or list(_beyond_the_standard(document))
    if found:
        first = found[0]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise DeclarationError(
            first.message + more,
            code=first.code,
            where=first.where,
            why=first.why,
            fix=first.fix,
            findings=found,
        )
    return _product(document)


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
        fields=tuple(custom.get("fields", ())),
    )
