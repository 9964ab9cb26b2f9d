"""Everything a mesh declares, read together: contracts by id, products by name, and how they fit.

Files come in as values (name and bytes); who reads the disk is an adapter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mesh.contract.avro import avro_schema
from mesh.contract.majors import majors_findings
from mesh.contract.model import Contract
from mesh.contract.reading import NO_VARIABLES, read_contract
from mesh.contract.refinement import AVRO_SUFFIX, refined
from mesh.contract.rule_findings import rule_findings
from mesh.errors import DeclarationError, Finding
from mesh.fit import fit
from mesh.product import Product, read_product

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


def declare(sources: Iterable[SourceFile], values: Mapping[str, str] = NO_VARIABLES) -> Declaration:
    """Read all files; never raises for what stands in them: problems are findings.

    `values` are those of the variables (`${NAME}`) that stand in them.
    """
    contracts: dict[str, Contract] = {}
    products: dict[str, Product] = {}
    found: list[Finding] = []
    files: set[str] = set()
    every = list(sources)
    schemas = {source.name: source for source in every if source.name.endswith(AVRO_SUFFIX)}
    for source in every:
        if source.name.endswith(AVRO_SUFFIX):
            continue
        files.add(source.name)
        try:
            if source.name.endswith(PRODUCT_SUFFIX):
                product = read_product(source.raw, source.name, values)
                found += product.findings
                found += _twice(product.full_name, products, source.name)
                products[product.full_name] = product
            else:
                beside = schemas.pop(source.name.removesuffix(CONTRACT_SUFFIX) + AVRO_SUFFIX, None)
                contract = read_contract(source.raw, source.name, values)
                if beside is not None:
                    contract = refined(contract, beside.raw, beside.name)
                found += contract.findings
                found += rule_findings(contract, avro_schema(contract))
                found += _twice(contract.id, contracts, source.name)
                contracts[contract.id] = contract
        except DeclarationError as error:
            found += error.findings or (_as_finding(error, source.name),)
    found += map(_alone, schemas)
    found += fit(contracts, products, files)
    found += majors_findings(contracts)
    return Declaration(contracts, products, tuple(found))


def _alone(schema: str) -> Finding:
    expected = schema.removesuffix(AVRO_SUFFIX) + CONTRACT_SUFFIX
    return Finding(
        code="MESH-C103",
        severity="warning",
        message="this Avro schema belongs to no contract",
        where=schema,
        why=f"a schema refines the contract beside it, and there is no {expected}",
        fix=f"rename it, or: mesh import avro {schema}",
    )


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
