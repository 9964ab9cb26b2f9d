"""The Avro schema of a contract as a file, and what of the contract it does not carry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract, Property

_CARRIED = {"i8", "i16", "i32", "i64", "f32", "f64", "uuid"}


def avsc(contract: Contract) -> str:
    """The schema as it is registered, laid out for people."""
    return json.dumps(avro_schema(contract).tree, indent=2, ensure_ascii=False) + "\n"


def left_out(contract: Contract) -> Iterator[tuple[str, str]]:
    """What Avro has no word for: (property or part of the contract, what)."""
    yield from _of(contract.properties, "")
    parts = {
        "quality rules": contract.quality,
        "service levels": contract.service_levels,
        "team": contract.team,
        "support": contract.support,
        "usage": contract.usage,
        "limitations": contract.limitations,
    }
    said = [name for name, found in parts.items() if found]
    if said:
        yield "the contract", ", ".join(said)


def _of(properties: Sequence[Property], prefix: str) -> Iterator[tuple[str, str]]:
    for prop in properties:
        name = prefix + prop.name
        words = [option for option, value in prop.options.items() if not _carried(option, value)]
        if prop.enum and prop.custom.get("avroType") != "enum":
            words.append("enum")
        if prop.primary_key is not None:
            words.append("primaryKey")
        if words:
            yield name, ", ".join(words)
        inner: Property | None = prop
        while inner is not None:
            yield from _of(inner.properties, f"{name}.")
            inner = inner.items or inner.values


def _carried(option: str, value: object) -> bool:
    return option == "timezone" or (option == "format" and value in _CARRIED)
