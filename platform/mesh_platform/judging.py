"""What a proposal is judged by: the text in force, retained schemas, readers, offering products, policies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from mesh import naming
from mesh.contract.model import Contract
from mesh.contract.reading import read_contract
from mesh.contract.refinement import AVRO_SUFFIX, refined, with_schema
from mesh.declaration import CONTRACT_SUFFIX
from mesh.product import Product, read_product
from mesh.schema import AvroSchema
from mesh_platform.control import ControlPlane
from mesh_platform.governance.policies import PolicySource, ask_policies
from mesh_platform.governance.state import ApprovedVersion
from mesh_platform.registry.parsing import avro_schemas


@lru_cache(maxsize=512)
def parsed(text: str, file: str) -> Contract:
    """A contract read from text; the same text is read once."""
    return read_contract(text.encode(), file)


def proposed(text: str, file: str, avro: str) -> Contract:
    """A contract as somebody proposes it; raises DeclarationError when the schema beside it disagrees."""
    contract = parsed(text, file)
    return refined(contract, avro.encode(), file.replace(CONTRACT_SUFFIX, AVRO_SUFFIX)) if avro else contract


def approved(version: ApprovedVersion) -> Contract:
    """A contract as it is in force, with the schema that it was approved with."""
    return with_schema(parsed(version.text, version.file), version.schema)


def retained(control: ControlPlane, known: ApprovedVersion) -> list[AvroSchema]:
    """The schemas that retained events were written with, oldest first."""
    return avro_schemas(control.registry.subjects, naming.value_subject(known.topic))


def subscribed(control: ControlPlane, known: ApprovedVersion) -> list[Any]:
    """The subscriptions of products that offer a contract."""
    owners = {product.full_name for product in offering(control, known.contract_id)}
    return [s for s in control.governance.subscriptions.values() if s.product in owners]


async def asked_policies(
    control: ControlPlane, policies: PolicySource, old: Contract | None, new: Contract
) -> dict[str, Any]:
    """What the policies say; in a thread, because a policy may be a program that takes its time."""
    products = list(offering(control, new.id))
    previous, today = _major_before(control, new), control.now().date()
    return await asyncio.to_thread(lambda: ask_policies(policies(), old, new, products, previous, today))


def _major_before(control: ControlPlane, contract: Contract) -> Contract | None:
    family = contract.topic.rpartition(".")[0]
    known = (naming.parse_topic(name) for name in control.governance.contracts)
    majors = [name for name in known if str(name).rpartition(".")[0] == family]
    lower = [name for name in majors if name.major < contract.version.major]
    found = control.governance.in_force(str(max(lower, key=lambda name: name.major))) if lower else None
    return parsed(found.text, found.file) if found else None


def offering(control: ControlPlane, contract_id: str) -> Iterator[Product]:
    """The products that offer a contract."""
    for declared in control.governance.products.values():
        product = read_product(declared.text.encode(), declared.file)
        if any(port.contract_id == contract_id for port in product.output_ports):
            yield product


def declared_readers(control: ControlPlane, known: ApprovedVersion) -> dict[str, list[str]]:
    """The products that read a contract through an input port, and which fields; none named: unknown."""
    readers: dict[str, list[str]] = {}
    for declared in control.governance.products.values():
        product = read_product(declared.text.encode(), declared.file)
        ports = [port for port in product.input_ports if port.contract_id == known.contract_id]
        if ports:
            told = all(port.fields for port in ports)
            readers[product.full_name] = sorted({f for port in ports for f in port.fields}) if told else []
    return readers
