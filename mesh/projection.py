"""A port as a reader sees it who wants some of its fields only: those it decodes, checks and depends on.

Rules on other fields are not this reader's: it reads on where a change of them would stop others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from mesh.contract.record_rules import record_rules
from mesh.contract.suggestion import did_you_mean
from mesh.errors import UsageError
from mesh.port import OutputPort
from mesh.rules.arrow import object_of
from mesh.rules.compilation import place_of
from mesh.rules.guard import Guard, compile_guard
from mesh.schema import AvroSchema, parse_schema
from mesh.schema.nodes import Record
from mesh.schema.render import complete_tree


def with_fields(port: OutputPort, fields: Sequence[str]) -> OutputPort:
    """The port with these fields only, in the contract's order; all of them when none is named.

    Raises UsageError (MESH-U191) for a field that the contract does not have.
    """
    if not fields:
        return port
    if isinstance(fields, str):
        raise UsageError(
            "fields are a list",
            code="MESH-U191",
            where=port.contract.id,
            fix=f"fields=[{fields!r}]",
        )
    known = [name for name, _ in port.codec.layout.parts]
    unknown = [name for name in fields if name not in known]
    if unknown:
        raise UsageError(
            f"{port.contract.id} has no field {unknown[0]!r}{did_you_mean(unknown[0], known)}",
            code="MESH-U191",
            where=port.contract.id,
            why=f"its fields are {', '.join(known)}",
            fix="name fields of the top level, as the contract spells them",
        )
    wanted = tuple(name for name in known if name in fields)
    return port if len(wanted) == len(known) else Projection(port.contract, port.engine, wanted)


@dataclass(frozen=True)
class Projection(OutputPort):
    """An output port with some of its fields."""

    fields: tuple[str, ...] = ()

    @cached_property
    def schema(self) -> AvroSchema:
        """The contract's schema without the other fields; types defined in those are defined here."""
        whole = OutputPort(self.contract, self.engine).schema
        assert isinstance(whole.root, Record)
        kept = tuple(field for field in whole.root.fields if field.name in self.fields)
        return parse_schema(json.dumps(complete_tree(replace(whole.root, fields=kept), whole.names)))

    @cached_property
    def guard(self) -> Guard:
        """The record rules of these fields."""
        whole = object_of(OutputPort(self.contract, self.engine).codec.arrow_schema)
        rules = [r for r in record_rules(self.contract) if place_of(r, whole).steps[0] in self.fields]
        return compile_guard(rules, self.codec.arrow_schema)
