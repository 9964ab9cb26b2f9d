"""What a plan is about: the names it asks the world for, and the domains it answers for as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from mesh import naming
from mesh.declaration import Declaration
from mesh.errors import UsageError

Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class Scope:
    """Names of every kind, and `domains`: of those, what is there and not declared is asked for too."""

    topics: Names = frozenset()
    subjects: Names = frozenset()
    contracts: Names = frozenset()
    products: Names = frozenset()
    principals: Names = frozenset()
    domains: Names = frozenset()

    def to_json(self) -> dict[str, list[str]]:
        """Each kind's names, in order."""
        return {kind.name: sorted(getattr(self, kind.name)) for kind in fields(self)}


def scope_of(desired: Declaration, domains: Iterable[str] = ()) -> Scope:
    """What a declaration names; `domains` are those of which it declares everything."""
    topics = {contract.topic for contract in desired.contracts.values()}
    return Scope(
        topics=frozenset(topics | {naming.dead_letter_topic(topic) for topic in topics}),
        subjects=frozenset(map(naming.value_subject, topics)),
        contracts=frozenset(desired.contracts),
        products=frozenset(desired.products),
        principals=frozenset(naming.principal(domain) for domain in domains_of(desired)),
        domains=frozenset(domains),
    )


def domains_of(desired: Declaration) -> frozenset[str]:
    """The domains that own something of a declaration."""
    owners = {contract.domain for contract in desired.contracts.values()}
    return frozenset(owners | {product.domain for product in desired.products.values()})


def owner_of_topic(topic: str) -> str | None:
    """The domain that owns a topic by its name; None for names that the mesh does not give."""
    try:
        return naming.parse_topic(topic.removesuffix(naming.DEAD_LETTER_SUFFIX)).domain
    except UsageError:
        return None


def owner_of_subject(subject: str) -> str | None:
    """The domain that owns a subject by its name; None for names that the mesh does not give."""
    topic = subject.removesuffix(naming.VALUE_SUFFIX)
    return owner_of_topic(topic) if subject == naming.value_subject(topic) else None


def product_of(subject: str) -> str:
    """The product, or else the domain, that a change is about: how people find it in a long plan."""
    topic = subject.removesuffix(naming.VALUE_SUFFIX).removesuffix(naming.DEAD_LETTER_SUFFIX)
    try:
        return naming.parse_topic(topic).product_name
    except UsageError:
        return subject.rstrip(".")
