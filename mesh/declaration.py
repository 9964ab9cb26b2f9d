"""Everything a mesh declares, read together: contracts by id, products by name, and how they fit.

Files come in as values (name and bytes); who reads the disk is an adapter.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mesh.contract.avro import avro_schema
from mesh.contract.majors import majors_findings
from mesh.contract.model import Contract
from mesh.contract.reading import read_contract
from mesh.errors import DeclarationError, Finding
from mesh.product import Port, Product, read_product

CONTRACT_SUFFIX = ".odcs.yaml"
PRODUCT_SUFFIX = ".odps.yaml"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A declaration as it lies on disk; `name` is the path a person would type."""

    name: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared, and what is wrong with it; usable when `findings` holds no error."""

    contracts: Mapping[str, Contract]
    products: Mapping[str, Product]
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity == "error" for finding in self.findings)

    def require(self) -> Declaration:
        """Itself; raises DeclarationError with all findings when it does not hold."""
        errors = [finding for finding in self.findings if finding.severity == "error"]
        if errors:
            first = errors[0]
            raise DeclarationError(
                first.message if len(errors) == 1 else f"{first.message} (and {len(errors) - 1} more)",
                code=first.code,
                where=first.where,
                why=first.why,
                fix=first.fix or "mesh check",
                findings=self.findings,
            )
        return self

    def product_of(self, contract_id: str) -> Product | None:
        """The product whose output port offers this contract."""
        for product in self.products.values():
            if any(port.contract_id == contract_id for port in product.output_ports):
                return product
        return None


def declare(sources: Iterable[SourceFile]) -> Declaration:
    """Read all files; never raises for what stands in them: problems are findings."""
    contracts: dict[str, Contract] = {}
    products: dict[str, Product] = {}
    found: list[Finding] = []
    for source in sources:
        try:
            if source.name.endswith(PRODUCT_SUFFIX):
                product = read_product(source.raw, source.name)
                found += _twice(product.full_name, products, source.name)
                products[product.full_name] = product
            else:
                contract = read_contract(source.raw, source.name)
                avro_schema(contract)
                found += _twice(contract.id, contracts, source.name)
                contracts[contract.id] = contract
        except DeclarationError as error:
            found += error.findings or (_as_finding(error, source.name),)
    found += _fit(contracts, products)
    found += majors_findings(contracts)
    return Declaration(contracts, products, tuple(found))


def _as_finding(error: DeclarationError, file: str) -> Finding:
    return Finding(
        code=error.error_code, message=error.what, where=error.where or file, why=error.why, fix=error.fix
    )


def _twice(name: str, known: Mapping[str, object], file: str) -> Iterator[Finding]:
    if name in known:
        yield Finding(
            code="MESH-C060",
            message=f"{name} is declared twice",
            where=file,
            why="a name has one owner and one file",
            fix="rename one of them, or remove one of the files",
        )


def _fit(contracts: Mapping[str, Contract], products: Mapping[str, Product]) -> Iterator[Finding]:
    """MESH-C061…C065: ports name contracts that exist, their version, and properties they have."""
    offered: set[str] = set()
    for product in products.values():
        for kind, ports in (("outputPorts", product.output_ports), ("inputPorts", product.input_ports)):
            for index, port in enumerate(ports):
                contract = contracts.get(port.contract_id)
                where = product.document.at(kind, index, "contractId")
                if contract is None:
                    near = difflib.get_close_matches(port.contract_id, list(contracts), n=1)
                    yield Finding(
                        code="MESH-C061",
                        message=f"no contract has the id {port.contract_id!r}"
                        + (f"; did you mean {near[0]!r}?" if near else ""),
                        where=where,
                        why="a port is bound to a contract of this mesh",
                        fix=f"write the contract {port.contract_id} under contracts/, or correct the id",
                    )
                elif kind == "outputPorts":
                    offered.add(contract.id)
                    yield from _port_fits(product, index, port.version, contract)
                else:
                    yield from _fields_exist(product, index, port, contract)
    for contract in contracts.values():
        if contract.id not in offered and products:
            yield Finding(
                code="MESH-C064",
                severity="warning",
                message=f"no product offers {contract.id}",
                where=contract.document.at("id"),
                why="consumers find products, not contracts",
                fix="name it in an output port of a product",
            )


def _fields_exist(product: Product, index: int, port: Port, contract: Contract) -> Iterator[Finding]:
    for name in port.fields:
        if contract.property(name) is None:
            near = difflib.get_close_matches(name, [p.name for p in contract.properties], n=1)
            yield Finding(
                code="MESH-C065",
                message=f"{contract.id} has no property {name!r}"
                + (f"; did you mean {near[0]!r}?" if near else ""),
                where=product.document.at("inputPorts", index, "customProperties"),
                why="an input port names what it reads, so that reviews know whom a change concerns",
                fix="correct the list `fields` of this input port",
            )


def _port_fits(product: Product, index: int, version: str, contract: Contract) -> Iterator[Finding]:
    if version and version.removeprefix("v") != str(contract.version):
        yield Finding(
            code="MESH-C062",
            message=f"the port says version {version}, the contract {contract.version}",
            where=product.document.at("outputPorts", index, "version"),
            why="the contract's version is the port's version",
            fix=f"write version: {contract.version}",
        )
    if contract.domain != product.domain:
        yield Finding(
            code="MESH-C063",
            message=f"{product.full_name} offers {contract.id}, which {contract.domain} owns",
            where=product.document.at("outputPorts", index, "contractId"),
            why="a domain offers only what it owns",
            fix=f"write contractId: {product.domain}.<product>.v1",
        )
