"""What a change means for the bytes: Avro compatibility both ways, and meanings that registries overlook."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.compatibility import Level, verdict
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract


def on_the_wire(old: Contract, new: Contract) -> Mapping[str, tuple[str, ...]]:
    """Sentences by property (dotted; empty for the whole event) of what one side cannot read of the other.

    Both ways, whatever the compatibility mode: the mode says what the registry lets through, the version
    what a reader of either text lives through.
    """
    found = verdict(avro_schema(new), [avro_schema(old)], Level.FULL)
    told: dict[str, tuple[str, ...]] = {}
    said = [(problem.field, problem.explanation) for problem in found.incompatibilities]
    said += [(change.field, change.explanation) for change in found.meanings]
    for field, explanation in said:
        name = field.replace("[]", "")
        told[name] = (*told.get(name, ()), explanation)
    if found.unknown:
        told[""] = (*told.get("", ()), found.unknown)
    return {name: tuple(dict.fromkeys(sentences)) for name, sentences in told.items()}
