"""Read an Avro schema: what a text may not do is refused here, before any Avro library sees it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from mesh import limits
from mesh.schema.builder import Builder, Known
from mesh.schema.defaults import DefaultCheck, TooIntricate
from mesh.schema.forward import definitions_first
from mesh.schema.model import AvroSchema
from mesh.schema.nodes import Named
from mesh.schema.parts import WRITTEN_OUT_NODES, refuse_nodes
from mesh.schema.refusal import (
    BAD_DEFAULT,
    ENDLESS,
    NAME_TAKEN,
    NOT_JSON,
    OVER_BUDGET,
    RECURSIVE,
    Hazard,
    refuse,
    refuse_hazards,
)
from mesh.schema.render import full_tree
from mesh.schema.shape import Shape, endless_types, shape_of
from mesh.schema.strict_json import Json, JsonProblem, TooMuch, compact, read_json

#: Longer texts are read anew each time, so that what is remembered stays small.
_REMEMBERED_LENGTH = 16 * limits.KIB
_REMEMBERED = 4_096
_KNOWN: dict[str, AvroSchema] = {}
_TURN = threading.Lock()
#: A type in a field of a record stands three JSON levels deeper than the record.
_JSON_DEPTH = 3 * limits.SCHEMA_DEPTH + 8
_RECURSION = Hazard(
    RECURSIVE,
    "$",
    "the schema refers to itself",
    "values could be nested so deep that a reader's stack ends before they do",
    "end the nesting with a record of another name, or refer to the parent by its key",
)


def parse_schema(text: str) -> AvroSchema:
    """The schema that `text` describes; raises SchemaError when it is invalid, or unsafe to decode with."""
    known = _KNOWN.get(text)
    if known is None:
        known = parse_any_schema(text)
        refuse_hazards(known.hazards)
        _remember(text, known)
    return known


def _remember(text: str, schema: AvroSchema) -> None:
    """Declaration, plan and registry speak of the same schemas, as written and as a registry spells them."""
    if len(text) <= _REMEMBERED_LENGTH:
        with _TURN:
            _KNOWN[text] = _KNOWN[schema.text] = schema
            while len(_KNOWN) > _REMEMBERED:
                del _KNOWN[next(iter(_KNOWN))]


def parse_recursive_schema(text: str) -> AvroSchema:
    """As `parse_schema`, recursive types allowed: only for readers that count depth themselves."""
    schema = parse_any_schema(text)
    refuse_hazards([hazard for hazard in schema.hazards if hazard.code != RECURSIVE])
    return schema


def parse_any_schema(text: str, elsewhere: Sequence[AvroSchema] = ()) -> AvroSchema:
    """The valid schema that `text` describes, safe or not; it may name the types of the schemas `elsewhere`.

    Raises SchemaError when it is invalid, or larger than it may be.
    """
    builder = Builder(_known(elsewhere))
    root = builder.build(definitions_first(_read(text)), "", "$", 1)
    if shape_of(root, builder.shapes).nodes > WRITTEN_OUT_NODES:
        refuse_nodes("$", WRITTEN_OUT_NODES)
    if builder.recursive:
        for fullname in endless_types(builder.names):
            refuse(ENDLESS, "$", f"no finite value can have the type {fullname!r}")
    _check_defaults(builder)
    return AvroSchema.of(root, builder, _hazards(builder, elsewhere))


def _known(schemas: Sequence[AvroSchema]) -> Known:
    """The types of all `schemas`; raises SchemaError when two define the same name differently."""
    names: dict[str, Named] = {}
    shapes: dict[str, Shape] = {}
    for schema in schemas:
        if len(names) + len(schema.known.names) > limits.SCHEMA_NODES:
            refuse_nodes("$", limits.SCHEMA_NODES)
        for fullname, node in schema.known.names.items():
            other = names.setdefault(fullname, node)
            if other is not node and full_tree(other) != full_tree(node):
                what = f"the references define the type {fullname!r} twice, and differently"
                refuse(NAME_TAKEN, "$", what, fix="refer to versions that agree")
        shapes.update(schema.known.shapes)
    return Known(names, shapes)


def _hazards(builder: Builder, elsewhere: Sequence[AvroSchema]) -> tuple[Hazard, ...]:
    inherited = [
        hazard for schema in elsewhere for hazard in schema.hazards if builder.used & schema.names.keys()
    ]
    own = [*builder.hazards, *([_RECURSION] if builder.recursive else [])]
    return tuple(dict.fromkeys([*own, *inherited]))


def _read(text: str) -> Json:
    try:
        return read_json(text, max_bytes=limits.SCHEMA_BYTES, max_depth=_JSON_DEPTH)
    except TooMuch as problem:
        refuse(OVER_BUDGET, "$", f"the schema cannot be read: {problem}")
    except JsonProblem as problem:
        refuse(NOT_JSON, "$", f"the schema cannot be read: {problem}")


def _check_defaults(builder: Builder) -> None:
    check = DefaultCheck(builder.names)
    for default, node, path in builder.defaults:
        try:
            fits = check.fits(default, node)
        except TooIntricate:
            refuse(OVER_BUDGET, path, "the defaults of the schema take too long to check")
        if not fits:
            refuse(
                BAD_DEFAULT, path, f"the default {compact(default)[:80]} does not fit the type of its field"
            )
