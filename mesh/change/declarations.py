"""The differences of two declarations: of every contract and product, the gravest first."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.change.contracts import added_contract, contract_difference, removed_contract
from mesh.change.model import Difference
from mesh.change.products import added_product, product_difference, removed_product
from mesh.declaration import Declaration


def differences(old: Declaration, new: Declaration) -> tuple[Difference, ...]:
    """What differs, contract by contract and product by product; nothing for what is the same text."""
    found = [*_contracts(old, new), *_products(old, new)]
    return tuple(sorted(found, key=lambda difference: (-difference.level, difference.name)))


def _contracts(old: Declaration, new: Declaration) -> Iterator[Difference]:
    for name, after in new.contracts.items():
        before = old.contracts.get(name)
        if before is None:
            yield added_contract(after)
        elif before.sha256 != after.sha256:
            yield from _told(contract_difference(before, after))
    for name, gone in old.contracts.items():
        if name not in new.contracts:
            yield removed_contract(gone)


def _products(old: Declaration, new: Declaration) -> Iterator[Difference]:
    for name, after in new.products.items():
        before = old.products.get(name)
        if before is None:
            yield added_product(after)
        elif before.document.text != after.document.text:
            yield from _told(product_difference(before, after))
    for name, gone in old.products.items():
        if name not in new.products:
            yield removed_product(gone)


def _told(difference: Difference) -> Iterator[Difference]:
    # A comment, or another layout of the same text, is no difference of what is declared.
    if difference.changes or difference.before != difference.after:
        yield difference
