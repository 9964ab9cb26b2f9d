"""What a schema may be: one interface, and a module for each kind that says what is valid and what follows.

`parse` is the only door: what a text may not do is refused before any library sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mesh import limits
from mesh.compatibility import Level
from mesh.schema.refusal import BAD_REFERENCE, OVER_BUDGET, refuse, refuse_hazards
from mesh_platform.registry.kinds.avro import parse_avro
from mesh_platform.registry.kinds.json_schema import parse_json_schema
from mesh_platform.registry.kinds.model import CANNOT_BE_JUDGED, OTHER_KIND, Kind, Parsed, Reason, References
from mesh_platform.registry.kinds.protobuf import parse_protobuf

__all__ = ["CANNOT_BE_JUDGED", "Kind", "Parsed", "Reason", "References", "parse", "reasons", "refuse_unsafe"]

_PARSERS: Mapping[Kind, Callable[[str, References], Parsed]] = {
    Kind.AVRO: parse_avro,
    Kind.JSON: parse_json_schema,
    Kind.PROTOBUF: parse_protobuf,
}


def parse(kind: Kind, text: str, references: References | None = None) -> Parsed:
    """The schema that `text` describes, with the schemas it refers to by name.

    Valid is not yet safe: the caller decides what to do with one that has `hazards`. Raises SchemaError.
    """
    found = references or {}
    if len(found) > limits.SCHEMA_REFERENCES:
        refuse(OVER_BUDGET, "$", f"the schema has more than {limits.SCHEMA_REFERENCES} references")
    for name, part in found.items():
        if part.kind is not kind:
            refuse(BAD_REFERENCE, "$", f"the reference {name[:80]!r} is {part.kind}, and the schema {kind}")
    return _PARSERS[kind](text, found)


def refuse_unsafe(schema: Parsed) -> None:
    """Raise SchemaError for a schema that this mesh's own readers would decode with, and must not.

    Those are Avro's: a schema of another kind only shows its hazards to those who read with it.
    """
    if schema.kind is Kind.AVRO:
        refuse_hazards(schema.hazards)


def reasons(new: Parsed, earlier: Sequence[Parsed], level: Level) -> tuple[Reason, ...]:
    """What keeps `new` from following `earlier` (oldest first) under `level`; empty when nothing does.

    Raises SchemaError MESH-A410 when two schemas are too complex to compare.
    """
    if level is Level.NONE:
        return ()
    first = 0 if level.transitive else max(0, len(earlier) - 1)
    return tuple(
        reason.at(index)
        for index in range(len(earlier) - 1, first - 1, -1)
        for reason in _against(new, earlier[index], level)
    )


def _against(new: Parsed, earlier: Parsed, level: Level) -> list[Reason]:
    if new.kind is not earlier.kind:
        return [_other_kind(new, earlier)]
    return [] if new.whole == earlier.whole else new.reasons(earlier, level)


def _other_kind(new: Parsed, earlier: Parsed) -> Reason:
    return Reason(
        type=OTHER_KIND,
        path="/",
        message=f"schema type: {new.kind} not compatible with schema type: {earlier.kind}",
        explanation=f"The earlier schema is {earlier.kind} and the new one {new.kind}.",
        fix=f"register an {earlier.kind} schema, or use another subject",
    )
