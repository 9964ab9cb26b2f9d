"""Compatibility, case by case: verdict, kind, place and message as schema registries give them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh.compatibility import Level, check, logical_changes, problems
from mesh.errors import SchemaError, UsageError
from mesh.schema import AvroSchema, parse_recursive_schema, parse_schema


def schema(tree: Any) -> AvroSchema:
    return parse_schema(json.dumps(tree))


def record(*fields: Any, name: str = "R", **more: Any) -> Any:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: Any = "int", **more: Any) -> Any:
    return {"name": name, "type": kind, **more}


def enum(*symbols: str, name: str = "E", **more: Any) -> Any:
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def fixed(size: int, name: str = "F") -> Any:
    return {"type": "fixed", "name": name, "size": size}


@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        ("long", "int"),
        ("float", "int"),
        ("float", "long"),
        ("double", "int"),
        ("double", "long"),
        ("double", "float"),
        ("bytes", "string"),
        ("string", "bytes"),
        (["null", "int"], "int"),
        (["null", "long"], "int"),
        ("long", ["int", "long"]),
        (["null", "string"], ["string", "null"]),
        (enum("A", default="A"), enum("A", "B")),
        (enum("A", name="x.E"), enum("A", name="y.E")),
        (record(field("a", default=1)), record()),
        (record(), record(field("a"))),
        (record(field("new", aliases=["old"])), record(field("old"))),
        (record(name="x.R", aliases=["Old"]), record(name="x.Old")),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, "bytes"),
    ],
)
def test_a_reader_accepts_what_avro_lets_it_read(reader: Any, writer: Any) -> None:
    assert problems(schema(reader), schema(writer)) == ()


@pytest.mark.parametrize(
    ("reader", "writer", "expected"),
    [
        ("int", "long", [("TYPE_MISMATCH", "/", "reader type: INT not compatible with writer type: LONG")]),
        (
            "string",
            "int",
            [("TYPE_MISMATCH", "/", "reader type: STRING not compatible with writer type: INT")],
        ),
        (
            record(field("a")),
            record(),
            [("READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/0", "a")],
        ),
        (
            record(field("a", ["null", "int"])),
            record(),
            [("READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/0", "a")],
        ),
        (
            record(field("a", enum("A", default="A"))),
            record(),
            [("READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/0", "a")],
        ),
        (
            record(field("a", "int", default=0)),
            record(field("a", "string")),
            [("TYPE_MISMATCH", "/fields/0/type", "reader type: INT not compatible with writer type: STRING")],
        ),
        (enum("A"), enum("C", "A", "B"), [("MISSING_ENUM_SYMBOLS", "/symbols", "[B, C]")]),
        (fixed(2), fixed(3), [("FIXED_SIZE_MISMATCH", "/size", "expected: 3, found: 2")]),
        (record(name="A"), record(name="x.B"), [("NAME_MISMATCH", "/name", "expected: x.B")]),
        (
            record(name="y.A", aliases=["B"]),
            record(name="x.B"),
            [("NAME_MISMATCH", "/name", "expected: x.B")],
        ),
        (
            enum("A", name="D"),
            enum("B"),
            [("NAME_MISMATCH", "/name", "expected: E"), ("MISSING_ENUM_SYMBOLS", "/symbols", "[B]")],
        ),
        (
            ["null", "string"],
            "int",
            [("MISSING_UNION_BRANCH", "/", "reader union lacking writer type: INT")],
        ),
        (
            ["null", "string"],
            ["null", "int"],
            [("MISSING_UNION_BRANCH", "/1", "reader union lacking writer type: INT")],
        ),
        (
            "int",
            ["null", "int"],
            [("TYPE_MISMATCH", "/0", "reader type: INT not compatible with writer type: NULL")],
        ),
        (
            {"type": "array", "items": "int"},
            {"type": "array", "items": "string"},
            [("TYPE_MISMATCH", "/items", "reader type: INT not compatible with writer type: STRING")],
        ),
        (
            {"type": "map", "values": "int"},
            {"type": "map", "values": "string"},
            [("TYPE_MISMATCH", "/values", "reader type: INT not compatible with writer type: STRING")],
        ),
        (
            record(field("a", aliases=["x", "y"])),
            record(field("x"), field("y")),
            [("AMBIGUOUS_FIELD_ALIASES", "/fields/0", "reader field a matches several writer fields: x, y")],
        ),
        (
            record(field("new", aliases=["a"]), field("a", default=0)),
            record(field("a")),
            [
                (
                    "AMBIGUOUS_FIELD_ALIASES",
                    "/fields/1",
                    "reader fields new and a both match the writer field a",
                )
            ],
        ),
    ],
)
def test_a_reader_refuses_with_the_registrys_words(
    reader: Any, writer: Any, expected: list[tuple[str, str, str]]
) -> None:
    found = [(str(item.type), item.path, item.message) for item in problems(schema(reader), schema(writer))]
    assert found == expected


V1, V2, V3 = record(field("a")), record(field("a"), field("b", default=0)), record(field("a"), field("b"))


def test_backward_compares_with_the_last_schema_only() -> None:
    assert check(schema(V3), [schema(V1), schema(V2)], Level.BACKWARD) == ()


def test_backward_transitive_compares_with_all_and_says_which() -> None:
    (found,) = check(schema(V3), [schema(V1), schema(V2)], Level.BACKWARD_TRANSITIVE)
    assert (found.against, found.field, found.direction) == (0, "b", "backward")


def test_forward_asks_whether_earlier_readers_go_on() -> None:
    (found,) = check(schema(record()), [schema(V1)], Level.FORWARD)
    assert "'a'" in found.explanation
    assert found.reader == schema(V1)


def test_none_asks_nothing() -> None:
    assert check(schema("int"), [schema("string")], Level.NONE) == ()


def test_a_first_schema_is_compatible_at_every_level() -> None:
    assert all(not check(schema(V1), [], level) for level in Level)


def test_an_explanation_names_a_nested_field_by_its_path() -> None:
    old = record(field("legs", {"type": "array", "items": record(field("gate"), name="Leg")}))
    new = record(field("legs", {"type": "array", "items": record(field("gate", "string"), name="Leg")}))
    (found,) = check(schema(new), [schema(old)], Level.BACKWARD)
    assert found.explanation.startswith("Field 'legs[].gate' holds int in earlier events")


def test_a_recursive_schema_is_compared_to_the_end() -> None:
    old, new = (
        parse_recursive_schema(json.dumps(record(field("v", kind), field("next", ["null", "R"]))))
        for kind in ("int", "string")
    )
    assert [problem.path for problem in problems(new, old)] == ["/fields/0/type"]


def test_two_schemas_too_complex_to_compare_are_refused() -> None:
    def wide(kind: str) -> AvroSchema:
        branches = [
            record(*(field(f"f{index}", kind) for index in range(60)), name=f"n{branch}.B")
            for branch in range(60)
        ]
        return schema(branches)

    with pytest.raises(SchemaError, match="too complex") as error:
        problems(wide("int"), wide("string"))
    assert error.value.error_code == "MESH-A410"


def test_unions_of_many_records_are_compared_branch_by_name() -> None:
    def nested(level: int, kind: str, name: str = "A") -> Any:
        if level == 0:
            return kind
        return [
            record(field("x", nested(level - 1, kind, f"{name}_{i}")), name=f"{name}_{i}") for i in range(8)
        ]

    assert problems(schema(nested(3, "long")), schema(nested(3, "int"))) == ()


def test_levels_are_read_in_any_case() -> None:
    assert Level.parse("full_Transitive") is Level.FULL_TRANSITIVE


def test_an_unknown_level_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="BACKWARD_TRANSITIVE"):
        Level.parse("SIDEWAYS")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
            {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3},
            ("decimal(9,2)", "decimal(9,3)"),
        ),
        (
            {"type": "long", "logicalType": "timestamp-millis"},
            {"type": "long", "logicalType": "timestamp-micros"},
            ("timestamp-millis", "timestamp-micros"),
        ),
        ({"type": "int", "logicalType": "date"}, "int", ("date", "")),
        (
            {"type": "long", "logicalType": "timestamp-millis"},
            ["null", {"type": "long", "logicalType": "timestamp-micros"}],
            ("timestamp-millis", "timestamp-micros"),
        ),
    ],
)
def test_a_change_of_meaning_is_found_where_registries_see_none(
    before: Any, after: Any, said: tuple[str, str]
) -> None:
    old, new = schema(record(field("t", before))), schema(record(field("t", after)))
    (change,) = logical_changes(new, old)
    assert (change.before, change.after) == said
    assert check(new, [old], Level.BACKWARD) == ()


def test_meaning_that_stays_is_not_reported() -> None:
    same = schema(record(field("t", {"type": "long", "logicalType": "timestamp-micros"})))
    assert logical_changes(same, same) == ()
