"""A type may be named before the place that defines it, as in Apache Avro's Java since 1.12."""

from __future__ import annotations

import json
from typing import Any

import fastavro
import pytest

from mesh.errors import SchemaError
from mesh.schema import parse_recursive_schema, parse_schema

ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}


def record(*fields: Any, name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: Any) -> dict[str, Any]:
    return {"name": name, "type": kind}


@pytest.mark.parametrize(
    ("early", "late"),
    [
        (record(field("a", "E"), field("b", ENUM)), record(field("a", ENUM), field("b", "E"))),
        (
            record(field("a", ["null", "E"]), field("b", {"type": "array", "items": ENUM})),
            record(field("a", ["null", ENUM]), field("b", {"type": "array", "items": "E"})),
        ),
        (
            record(field("a", "B"), field("b", record(field("c", "E"), name="B")), field("e", ENUM)),
            record(field("a", record(field("c", ENUM), name="B")), field("b", "B"), field("e", "E")),
        ),
        (
            record(field("a", "x.E"), field("b", {**ENUM, "namespace": "x"}), namespace="y"),
            record(field("a", {**ENUM, "namespace": "x"}), field("b", "x.E"), namespace="y"),
        ),
        (
            record(field("a", "E"), field("m", {"type": "map", "values": ENUM}), namespace="y"),
            record(field("a", ENUM), field("m", {"type": "map", "values": "E"}), namespace="y"),
        ),
    ],
    ids=["field", "union and array", "chain", "namespaces", "map"],
)
def test_a_later_definition_moves_to_where_it_is_first_named(early: Any, late: Any) -> None:
    schema = parse_schema(json.dumps(early))
    assert schema == parse_schema(json.dumps(late))
    fastavro.parse_schema(schema.codec_tree)


def test_types_that_name_each_other_are_recursive() -> None:
    tree = record(field("b", "B"), field("x", ["null", record(field("r", ["null", "R"]), name="B")]))
    assert parse_recursive_schema(json.dumps(tree)).recursive


def test_a_chain_of_early_names_counts_as_the_depth_it_makes() -> None:
    links = [record(field("x", f"R{i + 1}"), name=f"R{i}") for i in range(100)]
    tree = record(*(field(f"f{i}", link) for i, link in enumerate([*links, record(name="R100")])))
    with pytest.raises(SchemaError) as error:
        parse_schema(json.dumps(tree))
    assert error.value.error_code == "MESH-A002"


@pytest.mark.parametrize(
    "broken", [[{"type": "record", "name": 1}], {"type": "record", "name": "R", "fields": 7}]
)
def test_what_is_no_schema_is_refused_as_before(broken: Any) -> None:
    with pytest.raises(SchemaError, match="MESH-A006"):
        parse_schema(json.dumps(broken))
