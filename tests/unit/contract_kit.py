"""Small contracts and products for tests, as text a person could have written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from mesh.contract.model import Contract
from mesh.contract.reading import read_contract
from mesh.declaration import Declaration, SourceFile, declare
from mesh.errors import DeclarationError, Finding

FILE = "contracts/ops/flights.v1.odcs.yaml"

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: ops.flights.v1
version: 1.0.0
status: active
domain: ops
schema:
  - name: flights
    physicalType: topic
    physicalName: ops.flights.v1
    customProperties:
      - property: partitions
        value: 3
      - property: retention
        value: P400D
    properties:
      - name: flight_id
        logicalType: string
        required: true
        primaryKey: true
      - name: delay
        logicalType: integer
        logicalTypeOptions: {format: i32, minimum: -60}
      - name: departed_at
        logicalType: timestamp
        required: true
"""

PRODUCT = """\
apiVersion: v1.1.0
kind: DataProduct
id: ops.flights
name: flights
version: 1.0.0
status: active
domain: ops
outputPorts:
  - name: flights
    version: 1.0.0
    contractId: ops.flights.v1
"""


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """`text` with each old part, which must stand in it once, replaced."""
    for old, new in pairs:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the sample"
        text = text.replace(old, new)
    return text


def contract(*pairs: tuple[str, str]) -> Contract:
    """The sample contract with some parts replaced."""
    return read_contract(replaced(CONTRACT, *pairs).encode(), FILE)


def contract_of(
    properties: Sequence[Mapping[str, Any]],
    *,
    contract_id: str = "ops.flights.v1",
    version: str = "1.0.0",
    custom: Mapping[str, Any] | None = None,
    quality: Sequence[Mapping[str, Any]] = (),
    **more: Any,
) -> Contract:
    """A contract with these properties, topic settings and quality rules."""
    return read_contract(
        contract_text(
            properties, contract_id=contract_id, version=version, custom=custom, quality=quality, **more
        ).encode(),
        f"contracts/{contract_id}.odcs.yaml",
    )


def contract_text(
    properties: Sequence[Mapping[str, Any]],
    *,
    contract_id: str = "ops.flights.v1",
    version: str = "1.0.0",
    custom: Mapping[str, Any] | None = None,
    quality: Sequence[Mapping[str, Any]] = (),
    **more: Any,
) -> str:
    """The text of `contract_of`."""
    domain, product = contract_id.split(".")[:2]
    entries = [{"property": name, "value": value} for name, value in (custom or {}).items()]
    schema: dict[str, Any] = {
        "name": product,
        "physicalType": "topic",
        "physicalName": contract_id,
        "properties": [dict(item) for item in properties],
    }
    if entries:
        schema["customProperties"] = entries
    if quality:
        schema["quality"] = [dict(rule) for rule in quality]
    document = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": contract_id,
        "version": version,
        "status": "active",
        "domain": domain,
        **more,
        "schema": [schema],
    }
    # Through JSON, because a value that stands twice would be written as an alias.
    return yaml.safe_dump(json.loads(json.dumps(document)), sort_keys=False)


def product_text(full_name: str = "ops.flights", *contract_ids: str, reads: Sequence[str] = ()) -> str:
    """A product offering these contracts (its own v1 when none is named) and reading others."""
    domain, name = full_name.split(".")
    offered = contract_ids or (f"{full_name}.v1",)
    document: dict[str, Any] = {
        "apiVersion": "v1.1.0",
        "kind": "DataProduct",
        "id": full_name,
        "name": name,
        "version": "1.0.0",
        "status": "active",
        "domain": domain,
        "outputPorts": [{"name": f"port-{i}", "contractId": c} for i, c in enumerate(offered)],
    }
    if reads:
        document["inputPorts"] = [{"name": f"in-{i}", "contractId": c} for i, c in enumerate(reads)]
    return yaml.safe_dump(document, sort_keys=False)


def field(name: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    """One property."""
    return {"name": name, "logicalType": kind, **more}


def declared(*texts: str) -> Declaration:
    """Contracts and products, told apart by their kind."""
    sources = []
    for number, text in enumerate(texts):
        suffix = "odcs" if "kind: DataContract" in text else "odps"
        sources.append(SourceFile(f"file{number}.{suffix}.yaml", text.encode()))
    return declare(sources)


def findings_of(text: str, file: str = FILE) -> tuple[Finding, ...]:
    """What is wrong with a contract; empty when nothing is."""
    try:
        read_contract(text.encode(), file)
    except DeclarationError as error:
        return error.findings
    return ()
