"""Avro in the registry: references are named types, and what they refer to counts as if written out."""

from __future__ import annotations

import json

import pytest

from mesh import limits
from mesh.compatibility import Level
from mesh.errors import SchemaError
from mesh.schema import parse_schema
from mesh_platform.registry.kinds import Kind, Parsed, parse, reasons


def record(name: str, **fields: object) -> str:
    parts = [{"name": field, "type": kind} for field, kind in fields.items()]
    return json.dumps({"type": "record", "name": name, "fields": parts})


def avro(text: str, **references: Parsed) -> Parsed:
    return parse(Kind.AVRO, text, references)


PLACE = avro(record("geo.Place", code="string"))
TRIP = record("ops.Trip", start="geo.Place", end="geo.Place")


def test_a_type_of_a_reference_is_known_by_its_name() -> None:
    trip = avro(TRIP, place=PLACE)
    assert json.loads(trip.text) == json.loads(
        '{"type":"record","name":"Trip","namespace":"ops","fields":'
        '[{"name":"start","type":"geo.Place"},{"name":"end","type":"geo.Place"}]}'
    )


def test_a_reference_that_the_text_uses_is_told_from_one_that_it_does_not() -> None:
    other = avro(record("geo.Area", size="int"))
    assert avro(TRIP, place=PLACE, area=other).used == {"place"}


def test_a_type_of_no_reference_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"geo\.Place"):
        avro(TRIP)


def test_types_reached_through_references_of_references_are_known() -> None:
    leg = avro(record("ops.Leg", at="geo.Place"), place=PLACE)
    route = avro(record("ops.Route", first="ops.Leg", last="geo.Place"), leg=leg)
    assert route.used == {"leg"}


def test_two_references_may_reach_the_same_type() -> None:
    legs = {name: avro(record(f"ops.{name}", at="geo.Place"), place=PLACE) for name in ("A", "B")}
    assert avro(record("ops.Pair", a="ops.A", b="ops.B"), **legs).used == {"A", "B"}


def test_two_references_that_define_a_type_differently_are_refused() -> None:
    wider = avro(record("geo.Place", code="string", zone="string"))
    with pytest.raises(SchemaError, match="twice, and differently"):
        avro(TRIP, one=PLACE, two=wider)


def test_a_type_of_a_reference_is_not_defined_again() -> None:
    with pytest.raises(SchemaError, match="defined twice"):
        avro(record("geo.Place", code="int"), place=PLACE)


def test_a_reference_to_another_kind_is_refused() -> None:
    class Foreign:
        kind = Kind.JSON

    with pytest.raises(SchemaError, match="the reference 'place' is JSON") as error:
        parse(Kind.AVRO, TRIP, {"place": Foreign()})  # type: ignore[dict-item]
    assert error.value.error_code == "MESH-A022"


def test_a_schema_has_as_many_references_as_the_limit_and_no_more() -> None:
    parts = {f"r{index}": PLACE for index in range(limits.SCHEMA_REFERENCES + 1)}
    with pytest.raises(SchemaError, match="references"):
        avro(TRIP, **parts)
    parts.pop("r0")
    assert avro(TRIP, **parts).text


def test_written_out_a_schema_says_the_same_without_its_references() -> None:
    trip = avro(TRIP, place=PLACE)
    written = parse_schema(trip.schema.complete_text())  # type: ignore[attr-defined]
    assert written.codec_tree == trip.schema.codec_tree  # type: ignore[attr-defined]
    assert trip.whole == written.fingerprint


def test_a_change_inside_a_reference_is_a_change_of_the_schema() -> None:
    wider = avro(record("geo.Place", code="string", zone="string"))
    before, after = avro(TRIP, place=PLACE), avro(TRIP, place=wider)
    assert before.text == after.text
    assert [found.type for found in reasons(after, [before], Level.BACKWARD)] == [
        "READER_FIELD_MISSING_DEFAULT_VALUE"
    ]
    assert not reasons(before, [after], Level.BACKWARD)


def chain(records: int) -> Parsed:
    part = avro(record("R0", x="int"))
    for index in range(1, records):
        part = avro(record(f"R{index}", x=f"R{index - 1}"), before=part)
    return part


def test_depth_counts_across_references() -> None:
    deepest = chain(limits.SCHEMA_DEPTH - 1)  # the int stands one deeper than its record
    with pytest.raises(SchemaError, match="deeper than") as error:
        avro(record("Root", x=f"R{limits.SCHEMA_DEPTH - 2}"), before=deepest)
    assert error.value.error_code == "MESH-A002"


def test_what_is_unsafe_in_a_reference_is_unsafe_here() -> None:
    node = json.dumps(
        {"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"], "default": None}]}
    )
    unsafe = avro(node)
    assert [hazard.code for hazard in unsafe.hazards] == ["MESH-A010"]
    assert [hazard.code for hazard in avro(record("L", head="N"), node=unsafe).hazards] == ["MESH-A010"]
    assert not avro(record("L", head="int"), node=unsafe).hazards


def test_an_earlier_schema_of_another_kind_is_not_followed() -> None:
    class Foreign:
        kind = Kind.JSON

    (found,) = reasons(PLACE, [Foreign()], Level.FULL)  # type: ignore[list-item]
    assert found.message == "schema type: AVRO not compatible with schema type: JSON"
    assert not reasons(PLACE, [Foreign()], Level.NONE)  # type: ignore[list-item]


CHANGES = [
    (record("geo.Place", code="string"), record("geo.Place", code="int")),
    (record("geo.Place", code="int"), record("geo.Place", code="long")),
    (record("geo.Place", code="string"), record("geo.Place", code="string", zone="int")),
    (record("geo.Place", code="string", zone="int"), record("geo.Place", code="string")),
]


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_a_verdict_across_references_is_that_of_the_types_written_out(before: str, after: str) -> None:
    one, two = (avro(TRIP, place=avro(text)) for text in (before, after))
    plain = [avro(schema.schema.complete_text()) for schema in (one, two)]  # type: ignore[attr-defined]
    for level in Level:
        assert reasons(two, [one], level) == reasons(plain[1], [plain[0]], level)
