"""From declarations to the subjects of policies: contracts, products, changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mesh.contract.model import Contract
from mesh.contract.yaml import Document
from mesh.declaration import Declaration
from mesh.errors import Location
from mesh.naming import TopicName, parse_topic
from mesh.policy.subject import Subject
from mesh.product import Product


def subjects(declared: Declaration) -> Iterator[Subject]:
    """Every contract and every product, as policies see them."""
    offering: dict[str, list[Product]] = {}
    for product in declared.products.values():
        for port in product.output_ports:
            offering.setdefault(port.contract_id, []).append(product)
    topics = {
        contract_id: parse_topic(contract.topic) for contract_id, contract in declared.contracts.items()
    }
    majors = {(t.product_name, t.port, t.major): declared.contracts[name] for name, t in topics.items()}
    for name, contract in declared.contracts.items():
        yield of_contract(contract, offering.get(name, ()), _before(topics[name], majors))
    for product in declared.products.values():
        yield of_product(product)


def of_contract(
    contract: Contract, offered_by: Iterable[Product] = (), previous: Contract | None = None
) -> Subject:
    """A contract, the products that offer it, and the major version before."""
    products = tuple(offered_by)
    return Subject(
        kind="contract",
        name=contract.id,
        data=contract.document.data,
        locate=contract.document.at,
        products=tuple(product.full_name for product in products),
        types=tuple(product.type for product in products if product.type),
        previous=previous.document if previous is not None else None,
    )


def of_product(product: Product) -> Subject:
    """A product."""
    return Subject(
        kind="product",
        name=product.full_name,
        data=product.document.data,
        locate=product.document.at,
        products=(product.full_name,),
        types=(product.type,) if product.type else (),
    )


def of_change(old: Contract, new: Contract, offered_by: Iterable[Product] = ()) -> Subject:
    """A contract's text and the one that is to follow it."""
    from mesh.change import contract_difference  # only changes need it, and most commands see none

    products = tuple(offered_by)
    difference = contract_difference(old, new)
    data = {
        "old": old.document.data,
        "new": new.document.data,
        "changes": [change.as_data() for change in difference.changes],
    }
    return Subject(
        kind="change",
        name=new.id,
        data=data,
        locate=_Places(old.document, new.document).at,
        products=tuple(product.full_name for product in products),
        types=tuple(product.type for product in products if product.type),
        needed=str(difference.level),
    )


def changed(old: Declaration, new: Declaration) -> Iterator[Subject]:
    """The contracts whose text differs, as changes."""
    for name, contract in new.contracts.items():
        before = old.contracts.get(name)
        if before is not None and before.sha256 != contract.sha256:
            offering = [
                p for p in new.products.values() if any(o.contract_id == name for o in p.output_ports)
            ]
            yield of_change(before, contract, offering)


class _Places:
    """A change stands in two files: what is said of the old one is shown there, all else in the new one."""

    def __init__(self, old: Document, new: Document) -> None:
        self._old, self._new = old, new

    def at(self, *path: str | int) -> Location:
        if path[:1] == ("old",):
            return self._old.at(*path[1:])
        return self._new.at(*path[1:]) if path[:1] == ("new",) else self._new.at("version")


def _before(name: TopicName, majors: Mapping[tuple[str, str | None, int], Contract]) -> Contract | None:
    lower = [
        m
        for product, port, m in majors
        if (product, port) == (name.product_name, name.port) and m < name.major
    ]
    return majors[name.product_name, name.port, max(lower)] if lower else None
