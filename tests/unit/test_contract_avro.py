"""Contract to Avro schema: golden files for the example mesh, and every logical type."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.contract.avro import avro_schema
from mesh.contract.custom_properties import READ
from mesh.contract.model import Property
from mesh.contract.reading import read_contract
from mesh.errors import DeclarationError
from tests.unit.contract_kit import contract_of, contract_text, declared, field

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
CONTRACTS = sorted((ROOT / "contracts").rglob("*.odcs.yaml"))


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.name.removesuffix(".odcs.yaml"))
def test_the_avro_schema_of_an_example_contract_is_the_golden_one(file: Path) -> None:
    contract = read_contract(file.read_bytes(), str(file))
    golden = (GOLDEN / f"{contract.id}.avsc").read_text()
    assert json.dumps(avro_schema(contract).tree, indent=2, ensure_ascii=False) + "\n" == golden


def test_every_golden_schema_belongs_to_a_contract() -> None:
    ids = {read_contract(file.read_bytes(), str(file)).id for file in CONTRACTS}
    assert {file.name.removesuffix(".avsc") for file in GOLDEN.glob("*.avsc")} == ids


def field_of(**prop: Any) -> dict[str, Any]:
    tree: Any = avro_schema(contract_of([field("f", **prop)])).tree
    return dict(tree["fields"][0])


def type_of(**prop: Any) -> Any:
    return field_of(required=True, **prop)["type"]


@pytest.mark.parametrize(
    ("prop", "avro"),
    [
        ({"kind": "string"}, "string"),
        (
            {"kind": "string", "logicalTypeOptions": {"format": "uuid"}},
            {"type": "string", "logicalType": "uuid"},
        ),
        ({"kind": "string", "logicalTypeOptions": {"format": "email"}}, "string"),
        ({"kind": "string", "enum": [{"value": "a"}]}, "string"),
        *[
            ({"kind": "integer", "logicalTypeOptions": {"format": f}}, "int")
            for f in ("i8", "i16", "i32", "u8", "u16")
        ],
        *[({"kind": "integer", "logicalTypeOptions": {"format": f}}, "long") for f in ("i64", "u32")],
        ({"kind": "integer"}, "long"),
        ({"kind": "number"}, "double"),
        ({"kind": "number", "logicalTypeOptions": {"format": "f64"}}, "double"),
        ({"kind": "number", "logicalTypeOptions": {"format": "f32"}}, "float"),
        ({"kind": "boolean"}, "boolean"),
        ({"kind": "date"}, {"type": "int", "logicalType": "date"}),
        ({"kind": "time"}, {"type": "long", "logicalType": "time-micros"}),
        ({"kind": "timestamp"}, {"type": "long", "logicalType": "timestamp-micros"}),
        (
            {"kind": "timestamp", "logicalTypeOptions": {"timezone": True}},
            {"type": "long", "logicalType": "timestamp-micros"},
        ),
        (
            {"kind": "timestamp", "logicalTypeOptions": {"timezone": False}},
            {"type": "long", "logicalType": "local-timestamp-micros"},
        ),
        ({"kind": "array", "items": {"logicalType": "integer"}}, {"type": "array", "items": "long"}),
        (
            {"kind": "map", "map": {"key": {"logicalType": "string"}, "value": {"logicalType": "date"}}},
            {"type": "map", "values": {"type": "int", "logicalType": "date"}},
        ),
    ],
    ids=str,
)
def test_each_logical_type_has_its_avro_type(prop: dict[str, Any], avro: Any) -> None:
    assert type_of(**prop) == avro


def test_an_object_becomes_a_record_named_after_its_place() -> None:
    made = type_of(kind="object", properties=[field("x", required=True), field("y", "date")])
    assert made["name"].endswith("Flights_f")
    assert [f["name"] for f in made["fields"]] == ["x", "y"]


def test_objects_of_one_shape_in_two_places_do_not_share_a_name() -> None:
    inner = [field("x", required=True)]
    tree: Any = avro_schema(
        contract_of(
            [
                field("a", "object", required=True, properties=inner),
                field("b", "object", required=True, properties=inner),
            ]
        )
    ).tree
    names = [f["type"]["name"] for f in tree["fields"]]
    assert len(set(names)) == 2


def test_a_list_of_lists_of_objects_is_carried() -> None:
    inner = {"logicalType": "object", "properties": [field("x", required=True)]}
    made = type_of(kind="array", items={"logicalType": "array", "items": inner})
    assert made["items"]["items"]["type"] == "record"


def test_a_decimal_is_asked_for_by_precision_and_scale() -> None:
    custom = [{"property": "precision", "value": 9}, {"property": "scale", "value": 2}]
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
    assert type_of(kind="number", customProperties=custom) == decimal


def test_an_avro_enum_is_asked_for_by_avro_type() -> None:
    custom = [{"property": "avroType", "value": "enum"}]
    made = type_of(kind="string", enum=[{"value": "EWR"}, {"value": "JFK"}], customProperties=custom)
    assert (made["type"], made["symbols"]) == ("enum", ["EWR", "JFK"])


def test_an_optional_property_is_nullable_with_default_null() -> None:
    assert field_of(kind="date")["type"] == ["null", {"type": "int", "logicalType": "date"}]
    assert field_of(kind="date")["default"] is None


def test_a_required_property_has_no_default() -> None:
    assert "default" not in field_of(kind="date", required=True)


def test_a_key_property_is_never_null() -> None:
    assert field_of(kind="string", primaryKey=True)["type"] == "string"


def test_aliases_and_defaults_are_carried() -> None:
    custom = [{"property": "avroAliases", "value": ["old"]}, {"property": "avroDefault", "value": "x"}]
    made = field_of(kind="string", required=True, customProperties=custom)
    assert (made["aliases"], made["default"]) == (["old"], "x")


def test_descriptions_become_docs_on_one_line() -> None:
    assert field_of(kind="string", description="one\n  two")["doc"] == "one two"


def test_a_port_is_part_of_the_record_name() -> None:
    schema = avro_schema(contract_of([field("f")], contract_id="ops.flights.hourly-counts.v1"))
    assert schema.fullname == "ops.FlightsHourlyCounts"


@pytest.mark.parametrize(
    "prop",
    [
        {"kind": "vector", "logicalTypeOptions": {"dimensions": 3}},
        {"kind": "object"},
        {"kind": "array"},
        {"kind": "array", "items": {"logicalType": "object"}},
        *[{"kind": "integer", "logicalTypeOptions": {"format": f}} for f in ("u64", "i128", "u128")],
    ],
    ids=str,
)
def test_a_type_without_an_avro_form_is_refused_where_it_stands(prop: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError) as caught:
        type_of(**prop)
    assert caught.value.error_code == "MESH-C048"
    assert str(caught.value.where).startswith("contracts/ops.flights.v1.odcs.yaml:")
    assert caught.value.why
    assert caught.value.fix


def refined_by(kind: str = "string", **custom: Any) -> dict[str, Any]:
    entries = [{"property": name, "value": value} for name, value in custom.items()]
    more = {"enum": [{"value": "A"}, {"value": "B"}]} if custom.get("avroType") == "enum" else {}
    return {"kind": kind, "customProperties": entries, **more}


@pytest.mark.parametrize(
    ("prop", "avro"),
    [
        (refined_by("time", avroLogicalType="time-millis"), {"type": "int", "logicalType": "time-millis"}),
        (
            refined_by("timestamp", avroLogicalType="timestamp-nanos"),
            {"type": "long", "logicalType": "timestamp-nanos"},
        ),
        (
            refined_by("number", avroLogicalType="big-decimal"),
            {"type": "bytes", "logicalType": "big-decimal"},
        ),
        (refined_by(avroLogicalType="country-code"), {"type": "string", "logicalType": "country-code"}),
        (refined_by(avroType="bytes"), "bytes"),
        (refined_by(avroType="fixed", avroSize=4), {"type": "fixed", "name": "Flights_f", "size": 4}),
        (
            refined_by(avroType="enum", avroEnumDefault="A", avroName="Letter", avroTypeDoc="One."),
            {"type": "enum", "name": "Letter", "doc": "One.", "symbols": ["A", "B"], "default": "A"},
        ),
        (
            refined_by(avroType="enum", avroTypeAliases=["Old"], avroName="com.acme.Letter"),
            {
                "type": "enum",
                "name": "Letter",
                "namespace": "com.acme",
                "symbols": ["A", "B"],
                "aliases": ["Old"],
            },
        ),
        (refined_by("object", avroType=["int", "string"]), ["int", "string"]),
        (refined_by(avroAttributes={"java": "String"}), {"type": "string", "java": "String"}),
    ],
    ids=str,
)
def test_custom_properties_say_what_only_avro_knows(prop: dict[str, Any], avro: Any) -> None:
    assert type_of(**prop) == avro


NULL = {"default": None}


@pytest.mark.parametrize(
    ("prop", "said"),
    [
        (refined_by("integer", avroDefault=3), {"type": ["long", "null"], "default": 3}),
        (refined_by("integer", avroDefault=3, avroNull="first"), {"type": ["null", "long"], "default": 3}),
        (refined_by("integer", avroNull="last"), {"type": ["long", "null"], **NULL}),
        (refined_by("integer", avroNoDefault=True), {"type": ["null", "long"]}),
        (refined_by("integer", avroOrder="ignore"), {"type": ["null", "long"], **NULL, "order": "ignore"}),
        (refined_by("object", avroType=["null", "int", "bytes"]), {"type": ["null", "int", "bytes"], **NULL}),
        (refined_by(avroFieldAttributes={"x": None}), {"type": ["null", "string"], **NULL, "x": None}),
        (refined_by(avroDoc="a\n b"), {"type": ["null", "string"], **NULL, "doc": "a\n b"}),
    ],
    ids=str,
)
def test_an_optional_field_says_where_null_stands_and_what_its_default_is(
    prop: dict[str, Any], said: dict[str, Any]
) -> None:
    assert field_of(**prop) == {"name": "f", **said}


def test_a_type_used_twice_under_one_name_is_defined_once() -> None:
    place = [{"property": "avroName", "value": "Place"}]
    both = [field(n, "object", required=True, properties=[field("x")], customProperties=place) for n in "ab"]
    tree: Any = avro_schema(contract_of(both)).tree
    first, second = (f["type"] for f in tree["fields"])
    assert (first["name"], second) == ("Place", "Place")


def test_two_types_under_one_name_are_refused() -> None:
    place = [{"property": "avroName", "value": "Place"}]
    both = [field(n, "object", properties=[field(n)], customProperties=place) for n in "ab"]
    assert [f.code for f in declared(contract_text(both)).findings] == ["MESH-A004"]


def test_the_record_may_have_a_name_words_and_aliases_of_its_own() -> None:
    attributes = {"x": [None]}
    custom = {"avroName": "com.acme.Flight", "avroAliases": ["com.acme.Trip"], "avroAttributes": attributes}
    tree: Any = avro_schema(contract_of([field("f")], custom=custom)).tree
    assert (tree["name"], tree["namespace"], tree["aliases"]) == ("Flight", "com.acme", ["Trip"])
    assert tree["x"] == [None]


@pytest.mark.parametrize(
    ("prop", "code"),
    [
        (refined_by(avroType="text"), "MESH-C100"),
        (refined_by(avroType=5), "MESH-C100"),
        (refined_by(avroNull="middle"), "MESH-C100"),
        (refined_by(avroAttributes="x"), "MESH-C100"),
        (refined_by(avroAttributes={"type": "int"}), "MESH-C100"),
        (refined_by(avroFieldAttributes={"default": 1}), "MESH-C100"),
        (refined_by(avroLogicalType=["x"]), "MESH-C100"),
        (refined_by(avroLogicalType="date"), "MESH-C101"),
        (refined_by("timestamp", avroLogicalType="time-micros"), "MESH-C101"),
        (refined_by("timestamp", avroType="int", avroLogicalType="timestamp-micros"), "MESH-C101"),
        (refined_by(avroType="fixed", avroSize=4, avroLogicalType="duration"), "MESH-C101"),
        (refined_by(avroType="fixed"), "MESH-A006"),
        (refined_by(avroType="enum", avroEnumDefault="Z"), "MESH-A009"),
    ],
    ids=str,
)
def test_a_custom_property_that_means_nothing_is_refused(prop: dict[str, Any], code: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        type_of(**prop)
    assert caught.value.error_code == code


_KEYS = st.sampled_from(["type", "name", "namespace", "fields", "items", "values", "size"])
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "enum", "fixed", "null", "a.b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner),
    max_leaves=6,
)
_NAMES = [name for name in (*READ["property"], *READ["schema object"]) if name.startswith("avro")]


@given(
    st.sampled_from(["string", "integer", "number", "timestamp", "object"]),
    st.dictionaries(st.sampled_from(_NAMES), _ANYTHING, max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_custom_properties_is_a_schema_or_a_finding(
    kind: str, custom: dict[str, Any]
) -> None:
    inner = Property(name="x", logical_type="string", description="")
    prop = Property(
        name="f", logical_type=kind, description="", custom=custom, enum=("A",), properties=(inner,)
    )
    contract = replace(contract_of([field("f")]), properties=(prop,), custom=custom)
    with suppress(DeclarationError):
        assert avro_schema(contract).text


@pytest.mark.parametrize(
    "prop",
    [
        field(
            "f",
            enum=[{"value": "not a symbol"}],
            customProperties=[{"property": "avroType", "value": "enum"}],
        ),
        field("f", "number", customProperties=[{"property": "precision", "value": "many"}]),
        field("f", customProperties=[{"property": "avroAliases", "value": 5}]),
        field("f", customProperties=[{"property": "avroAliases", "value": "abc"}]),
        field("f", "integer", required=True, customProperties=[{"property": "avroDefault", "value": "x"}]),
    ],
    ids=lambda prop: str(prop["customProperties"]),
)
def test_what_avro_refuses_is_a_finding_at_the_property(prop: dict[str, Any]) -> None:
    found = declared(contract_text([field("a"), prop])).findings
    assert len(found) == 1
    where = found[0].where
    assert str(where).startswith("file0.odcs.yaml:")
    assert getattr(where, "line", 1) > 10
    assert found[0].why
    assert found[0].fix
