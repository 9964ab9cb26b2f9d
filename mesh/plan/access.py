"""Who may do what on the cluster: grants as values, and those a declaration asks for.

A domain signs in as `User:<domain>`. It may write and read its own topics and use its own consumer
groups: one grant by prefix each, because the owner comes first in every name. An input port lets
the domain read what it names, and bury there what it cannot read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mesh import naming
from mesh.declaration import Declaration

Operation = Literal["read", "write"]
Resource = Literal["topic", "group"]


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One allowed operation from any host; `prefixed` grants hold for every name that starts so."""

    principal: str
    operation: Operation
    resource: Resource
    name: str
    pattern: Literal["literal", "prefixed"]

    def __str__(self) -> str:
        star = "*" if self.pattern == "prefixed" else ""
        return f"{self.principal} may {self.operation} {self.resource} {self.name}{star}"


def wanted_grants(desired: Declaration) -> tuple[Grant, ...]:
    """Every grant that a declaration asks for, in order, each once."""
    found: set[Grant] = set()
    for domain in {contract.domain for contract in desired.contracts.values()}:
        own, prefix = naming.principal(domain), f"{domain}."
        found |= {Grant(own, operation, "topic", prefix, "prefixed") for operation in ("read", "write")}
    for product in desired.products.values():
        reader = naming.principal(product.domain)
        found.add(Grant(reader, "read", "group", f"{product.domain}.", "prefixed"))
        for port in product.input_ports:
            contract = desired.contracts.get(port.contract_id)
            topic = contract.topic if contract is not None else port.contract_id
            if topic.startswith(f"{product.domain}."):
                continue
            found.add(Grant(reader, "read", "topic", topic, "literal"))
            found.add(Grant(reader, "write", "topic", naming.dead_letter_topic(topic), "literal"))
    return tuple(sorted(found))
