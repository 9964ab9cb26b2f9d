"""How contracts and products fit together: what each file cannot say alone (MESH-C061…C068, C080, C081)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from mesh.contract import references
from mesh.contract.model import Contract
from mesh.contract.suggestion import did_you_mean
from mesh.contract.yaml import Path
from mesh.errors import Finding, UsageError
from mesh.product import Port, Product
from mesh.versioning import Version


def fit(
    contracts: Mapping[str, Contract], products: Mapping[str, Product], files: Collection[str]
) -> Iterator[Finding]:
    """MESH-C061…C068, C080 and C081 over all that was read; `files` are also those that could not be."""
    offered: dict[str, str] = {}
    for product in products.values():
        for kind, ports in (("outputPorts", product.output_ports), ("inputPorts", product.input_ports)):
            for index, port in enumerate(ports):
                contract = contracts.get(port.contract_id)
                if kind == "outputPorts":
                    yield from _offered_once(product, index, port, offered)
                    yield from _lineage(product, index, port, contracts)
                if contract is None:
                    yield _no_contract(product, port.contract_id, (kind, index, "contractId"), contracts)
                elif kind == "outputPorts":
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
    yield from _relationships(contracts, files)


def _no_contract(product: Product, name: str, path: Path, contracts: Mapping[str, Contract]) -> Finding:
    return Finding(
        code="MESH-C061",
        message=f"no contract has the id {name!r}" + did_you_mean(name, contracts),
        where=product.document.at(*path),
        why="a port is bound to a contract of this mesh",
        fix=f"write the contract {name} under contracts/, or correct the id",
    )


def _offered_once(product: Product, index: int, port: Port, offered: dict[str, str]) -> Iterator[Finding]:
    before = offered.setdefault(port.contract_id, product.full_name)
    if before != product.full_name:
        yield Finding(
            code="MESH-C066",
            message=f"{product.full_name} offers {port.contract_id}, which {before} offers",
            where=product.document.at("outputPorts", index, "contractId"),
            why="a contract is one topic, and a topic has one product that answers for it",
            fix="read it through an input port, or give this port a contract of its own",
        )


def _lineage(
    product: Product, index: int, port: Port, contracts: Mapping[str, Contract]
) -> Iterator[Finding]:
    reads = {entry.contract_id for entry in product.input_ports}
    for place, (name, version) in enumerate(port.input_contracts):
        path: Path = ("outputPorts", index, "inputContracts", place)
        contract = contracts.get(name)
        if contract is None:
            yield _no_contract(product, name, (*path, "id"), contracts)
        elif not _served_by(version, contract.version):
            yield Finding(
                code="MESH-C067",
                severity="warning",
                message=f"{product.full_name} is made from {name} {version}, which is at {contract.version}",
                where=product.document.at(*path, "version"),
                why="a port reads what is declared: the same major version, and not a later one",
                fix=f"write version: {contract.version}",
            )
        if contract is not None and name not in reads:
            yield Finding(
                code="MESH-C068",
                severity="warning",
                message=f"{product.full_name} is made from {name} and has no input port that reads it",
                where=product.document.at(*path, "id"),
                why="inputContracts and inputPorts draw the same lineage",
                fix=f"add an input port with contractId: {name}",
            )


def _served_by(wanted: str, declared: Version) -> bool:
    try:
        version = Version.parse(wanted)
    except UsageError:
        return False
    return version.major == declared.major and version <= declared


def _relationships(contracts: Mapping[str, Contract], files: Collection[str]) -> Iterator[Finding]:
    by_file = {contract.document.file: contract for contract in contracts.values()}
    known: dict[str, references.Targets] = {}
    for contract in contracts.values():
        for reference in references.abroad(contract.document):
            where = contract.document.at(*reference.path)
            other = by_file.get(reference.file)
            if other is not None:
                if reference.file not in known:
                    known[reference.file] = references.targets(other.document.data)
                if not known[reference.file].have(reference.target):
                    yield references.missing(reference.target, where, known[reference.file], reference.file)
            elif reference.file not in files:
                yield Finding(
                    code="MESH-C081",
                    message=f"no contract of this mesh is in the file {reference.file!r}"
                    + did_you_mean(reference.file, sorted(by_file)),
                    where=where,
                    why="a relationship names a file by its path from the folder of its own",
                    fix="correct the path; a contract elsewhere is named by its URL",
                )


def _fields_exist(product: Product, index: int, port: Port, contract: Contract) -> Iterator[Finding]:
    for name in port.fields:
        if contract.property(name) is None:
            known = [prop.name for prop in contract.properties]
            yield Finding(
                code="MESH-C065",
                message=f"{contract.id} has no property {name!r}" + did_you_mean(name, known),
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
