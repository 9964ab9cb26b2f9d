"""Avro to contract and back: nothing that Avro can say is lost, and what ODCS has no word for is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.contract.avro import avro_schema
from mesh.contract.model import Property
from mesh.contract.reading import read_contract
from mesh.contract.writing import write
from mesh.contract.yaml import read
from mesh.errors import SchemaError
from mesh.imports.avro import Imported, contract_of_avro
from mesh.imports.document import Heading, contract_text
from mesh.schema import AvroSchema, parse_schema
from tests.unit import avro_schemas

HEADING = Heading(domain="shop", product="orders")
FILE = "orders.avsc"


def record(*fields: dict[str, Any], **more: Any) -> AvroSchema:
    tree = {"type": "record", "name": "Orders", "namespace": "shop", "fields": list(fields), **more}
    return parse_schema(json.dumps(tree))


def imported(schema: AvroSchema) -> Imported:
    return contract_of_avro(schema, HEADING, FILE)


def back(schema: AvroSchema) -> AvroSchema:
    return avro_schema(read_contract(imported(schema).text.encode(), FILE))


def said(schema: AvroSchema) -> list[str]:
    return [f"{finding.where} {finding.message.split(', ')[1]}" for finding in imported(schema).findings]


TYPES: list[Any] = [
    *["boolean", "int", "long", "float", "double", "bytes", "string"],
    {"type": "int", "logicalType": "date"},
    {"type": "int", "logicalType": "time-millis"},
    {"type": "long", "logicalType": "time-micros"},
    *[
        {"type": "long", "logicalType": f"{local}timestamp-{unit}"}
        for local in ("", "local-")
        for unit in ("millis", "micros", "nanos")
    ],
    {"type": "string", "logicalType": "uuid"},
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
    {"type": "bytes", "logicalType": "decimal", "precision": 9},
    {"type": "bytes", "logicalType": "big-decimal"},
    {"type": "fixed", "name": "Money", "size": 8, "logicalType": "decimal", "precision": 9, "scale": 2},
    {"type": "fixed", "name": "Id", "size": 16, "logicalType": "uuid"},
    {"type": "fixed", "name": "Span", "size": 12, "logicalType": "duration"},
    {"type": "fixed", "name": "Hash", "namespace": "", "size": 3},
    {
        "type": "enum",
        "name": "Size",
        "symbols": ["S", "L"],
        "default": "S",
        "doc": "How big",
        "aliases": ["B"],
    },
    {"type": "string", "logicalType": "date"},
    {"type": "string", "avro.java.string": "String", "x": {"deep": [None, {"y": None}]}},
    {"type": "array", "items": ["null", "long"], "java-class": "List"},
    {"type": "map", "values": {"type": "array", "items": ["string", "null"]}},
    {"type": "record", "name": "Place", "doc": "Where", "fields": [{"name": "x", "type": "double"}]},
    {"type": "record", "name": "Nothing", "fields": []},
    {"type": "record", "name": "other.Place", "aliases": ["Spot"], "fields": [{"name": "x", "type": "int"}]},
    ["int", "string"],
    ["null", "int", {"type": "record", "name": "In", "fields": [{"name": "x", "type": "int"}]}],
    ["null"],
    "null",
]


@pytest.mark.parametrize("kind", TYPES, ids=json.dumps)
def test_each_avro_type_survives_the_way_through_a_contract(kind: Any) -> None:
    schema = record({"name": "id", "type": "string"}, {"name": "f", "type": kind})
    assert back(schema).normal_text() == schema.normal_text()


@pytest.mark.parametrize("kind", [["null", "int"], ["int", "null"]], ids=json.dumps)
@pytest.mark.parametrize("default", [{}, {"default": None}, {"default": 7}], ids=json.dumps)
def test_a_nullable_field_keeps_its_order_and_its_default(kind: Any, default: dict[str, Any]) -> None:
    schema = record({"name": "f", "type": kind, **default})
    assert back(schema).text == schema.text


def test_a_type_that_is_used_twice_is_defined_once() -> None:
    place = {"type": "record", "name": "Place", "fields": [{"name": "x", "type": "double"}]}
    schema = record(
        {"name": "start", "type": place}, {"name": "ends", "type": {"type": "array", "items": "Place"}}
    )
    assert back(schema).text == schema.text


def test_what_only_avro_says_of_a_record_is_kept() -> None:
    schema = record(
        {"name": "f", "type": "int", "order": "ignore", "aliases": ["g"], "doc": "a\nb", "x": 1},
        doc="One order.\n\n  With lines.",
        aliases=["Purchase"],
        owner={"team": None},
    )
    assert back(schema).text == schema.text


def test_a_record_of_another_name_keeps_it() -> None:
    schema = record({"name": "f", "type": "int"}, name="com.acme.Purchase")
    assert back(schema).fullname == "com.acme.Purchase"


def test_what_the_standard_has_no_word_for_is_said_with_its_place() -> None:
    schema = record(
        {"name": "u", "type": ["int", "string"]},
        {"name": "n", "type": ["null", "int"], "order": "descending"},
        {
            "name": "t",
            "type": {"type": "array", "items": {"type": "long", "logicalType": "timestamp-millis"}},
        },
        aliases=["Purchase"],
    )
    assert said(schema) == [
        "orders.avsc $ kept as avroAliases",
        "orders.avsc $.u kept as avroType",
        "orders.avsc $.n kept as avroNoDefault",
        "orders.avsc $.n kept as avroOrder",
        "orders.avsc $.t[] kept as avroLogicalType",
    ]


def test_what_the_standard_has_words_for_needs_no_custom_property() -> None:
    schema = record(
        {"name": "id", "type": "string", "doc": "Which order."},
        {
            "name": "at",
            "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}],
            "default": None,
        },
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        doc="One order.",
    )
    assert "customProperties" not in imported(schema).text
    assert imported(schema).findings == ()


@pytest.mark.parametrize("text", ['"string"', '{"type":"record","name":"R","fields":[]}'])
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(SchemaError) as caught:
        contract_of_avro(parse_schema(text), HEADING, FILE)
    assert caught.value.error_code == "MESH-C106"


def test_a_number_that_yaml_would_not_keep_is_refused_rather_than_changed() -> None:
    schema = record({"name": "f", "type": "double", "default": 10**60})
    with pytest.raises(SchemaError) as caught:
        imported(schema)
    assert caught.value.error_code == "MESH-C106"


_DECORATED = st.fixed_dictionaries(
    {},
    optional={
        "doc": st.text(max_size=6),
        "aliases": st.lists(st.sampled_from(["P", "Q"]), unique=True, max_size=2),
        "note": st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    },
)


def _decorate(draw: st.DrawFn, tree: Any) -> Any:
    """The schema with documentation, aliases, attributes and orders as authors may write them."""
    if isinstance(tree, list):
        return [_decorate(draw, branch) for branch in tree]
    if not isinstance(tree, dict):
        return tree
    made = dict(tree)
    if tree["type"] in ("record", "enum", "fixed"):
        made |= draw(_DECORATED)
    for part in ("items", "values"):
        if part in made:
            made[part] = _decorate(draw, made[part])
    if tree["type"] == "record":
        orders = st.sampled_from([{}, {"order": "ignore"}, {"order": "descending"}])
        made["fields"] = [
            {**field, "type": _decorate(draw, field["type"]), **draw(_DECORATED), **draw(orders)}
            for field in tree["fields"]
        ]
    return made


@st.composite
def schemas(draw: st.DrawFn) -> AvroSchema:
    tree = avro_schemas.named(draw(avro_schemas.records()))
    return parse_schema(json.dumps(_decorate(draw, tree)))


@given(schemas())
@settings(max_examples=40, deadline=None)
def test_any_schema_survives_the_way_through_a_contract(schema: AvroSchema) -> None:
    assert back(schema).normal_text() == schema.normal_text()


_LEAVES = st.one_of(
    st.builds(
        dict, logical_type=st.sampled_from(["string", "boolean", "date", "time", "timestamp", "number"])
    ),
    st.builds(
        dict,
        logical_type=st.just("integer"),
        options=st.sampled_from([{}, {"format": "i32"}, {"format": "i64"}, {"minimum": 3}]),
    ),
    st.builds(
        dict,
        logical_type=st.just("string"),
        enum=st.just(("A", "B")),
        custom=st.sampled_from([{"avroType": "enum"}, {"avroType": "enum", "avroEnumDefault": "B"}, {}]),
    ),
    st.just({"logical_type": "number", "custom": {"precision": 5, "scale": 2}}),
)


def _property(name: str, shape: dict[str, Any], facts: dict[str, Any]) -> Property:
    return Property(**{"name": name, "description": "", "custom": {}, **shape, **facts})


def _shapes(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    if not depth:
        return _LEAVES
    inner = _shapes(depth - 1)
    part = inner.map(lambda shape: _property("item", shape, {}))
    return st.one_of(
        _LEAVES,
        part.map(lambda prop: {"logical_type": "array", "items": prop}),
        part.map(lambda prop: {"logical_type": "map", "values": prop}),
        properties(depth - 1).map(lambda props: {"logical_type": "object", "properties": tuple(props)}),
    )


@st.composite
def properties(draw: st.DrawFn, depth: int = 2) -> list[Property]:
    names = draw(st.lists(st.sampled_from("abcd"), min_size=1, unique=True))
    facts = st.fixed_dictionaries({"required": st.booleans(), "description": st.text("xy \n", max_size=5)})
    return [_property(name, draw(_shapes(depth)), draw(facts)) for name in names]


@given(properties())
@settings(max_examples=20, deadline=None)
def test_the_schema_of_any_contract_is_a_fixed_point(props: list[Property]) -> None:
    text = contract_text(HEADING, props)
    schema = avro_schema(read_contract(text.encode(), FILE))
    assert back(schema).text == schema.text


_MISLEADING = [
    "1e5",
    "0o7",
    "0x1f",
    "1_000",
    "12:30",
    "no",
    "~",
    "",
    "2026-01-01",
    "-.5",
    "<<",
    "\x85",
    "1.0.0",
]
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.sampled_from(_MISLEADING),
)
_DATA = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), _DATA, max_size=4))
@settings(max_examples=80, deadline=None)
def test_what_is_written_is_read_back(data: dict[str, Any]) -> None:
    assert read(write(data).encode(), FILE).data == data
