"""Declared products with their contracts, read from governance: the catalog's table of contents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from mesh import naming
from mesh.contract.model import Contract
from mesh.contract.reading import read_contract
from mesh.product import Product, read_product
from mesh_platform.governance.state import ApprovedVersion, GovernanceState


@dataclass(frozen=True, slots=True)
class Entry:
    """A product and the contract in force behind its newest output port."""

    product: Product
    contract: Contract
    approved: ApprovedVersion


@lru_cache(maxsize=4_096)
def contract_of(text: str, file: str) -> Contract:
    """A contract from its text; the same text is read once."""
    return read_contract(text.encode(), file)


@lru_cache(maxsize=4_096)
def product_of(text: str, file: str) -> Product:
    """A product from its text; the same text is read once."""
    return read_product(text.encode(), file)


def entries(governance: GovernanceState) -> dict[str, Entry]:
    """Every product whose contract is in force, by full name, in alphabetical order."""
    found: dict[str, Entry] = {}
    for name, declared in sorted(governance.products.items()):
        product = product_of(declared.text, declared.file)
        known = [
            v for v in (governance.in_force(p.contract_id) for p in product.output_ports) if v is not None
        ]
        if known:
            newest = max(known, key=lambda version: naming.parse_topic(version.topic).major)
            found[name] = Entry(product, contract_of(newest.text, newest.file), newest)
    return found


def flows(index: dict[str, Entry]) -> Iterator[tuple[str, str]]:
    """(source, target) full names, from the input ports that products declare."""
    owners = {port.contract_id: name for name, entry in index.items() for port in entry.product.output_ports}
    for name, entry in index.items():
        for port in entry.product.input_ports:
            if port.contract_id in owners:
                yield owners[port.contract_id], name
