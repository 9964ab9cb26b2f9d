"""Every way in which a schema text is refused, and what is kept of one that is not."""

from __future__ import annotations

import json

import pytest

from mesh import limits
from mesh.errors import SchemaError
from mesh.schema import parse_recursive_schema, parse_schema


def record(*fields: object, name: str = "R", **more: object) -> dict[str, object]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: object, **more: object) -> dict[str, object]:
    return {"name": name, "type": kind, **more}


def refusal_of(schema: object) -> SchemaError:
    text = schema if isinstance(schema, str) else json.dumps(schema)
    with pytest.raises(SchemaError) as error:
        parse_schema(text)
    return error.value


def nested_arrays(depth: int) -> str:
    return '{"type":"array","items":' * (depth - 1) + '"int"' + "}" * (depth - 1)


def chain(length: int) -> object:
    """Records that each refer to the one before: shallow as text, deep as a value."""
    fields = [field("f0", record(field("x", "int"), name="R0"))]
    fields += [
        field(f"f{index}", record(field("x", f"R{index - 1}"), name=f"R{index}"))
        for index in range(1, length)
    ]
    return record(*fields, name="Root")


def doubling(levels: int) -> object:
    """Records that each hold the one before twice."""
    fields = [field("f0", record(name="R0"))]
    for index in range(1, levels):
        inner = record(field("x", f"R{index - 1}"), field("y", f"R{index - 1}"), name=f"R{index}")
        fields.append(field(f"f{index}", inner))
    return record(*fields, name="Root")


@pytest.mark.parametrize(
    ("schema", "code", "where"),
    [
        ("{", "MESH-A001", "$"),
        ("", "MESH-A001", "$"),
        ('{"type":"int","type":"long"}', "MESH-A001", "$"),
        ('{"type":"int","x":NaN}', "MESH-A001", "$"),
        ('{"type":"int","x":1e400}', "MESH-A001", "$"),
        ('{"type":"int","x":"\\ud800"}', "MESH-A001", "$"),
        ("[" * 100_000, "MESH-A002", "$"),
        ('"' + "x" * limits.SCHEMA_BYTES, "MESH-A002", "$"),
        (record(field("x", "int"), name="../../x"), "MESH-A003", "$.name"),
        (record(field("<script>", "int")), "MESH-A003", "$.fields[0].name"),
        (record(field("a.b", "int")), "MESH-A003", "$.fields[0].name"),
        (record(field("9a", "int")), "MESH-A003", "$.fields[0].name"),
        (record(field("é", "int")), "MESH-A003", "$.fields[0].name"),
        (record(field("a\n", "int")), "MESH-A003", "$.fields[0].name"),
        (record(name="a..b"), "MESH-A003", "$.name"),
        (record(namespace="a b"), "MESH-A003", "$.namespace"),
        (record(aliases=["9"]), "MESH-A003", "$.aliases[0]"),
        ({"type": "enum", "name": "E", "symbols": ["A-B"]}, "MESH-A003", "$.symbols[0]"),
        (record(name="string"), "MESH-A004", "$.name"),
        (record(field("a", record(name="R"))), "MESH-A004", "$.fields[0].type.name"),
        ("nothing", "MESH-A001", "$"),
        ('"nothing"', "MESH-A005", "$"),
        (
            record(field("a", "E"), field("b", {"type": "enum", "name": "x.E", "symbols": ["A"]})),
            "MESH-A005",
            None,
        ),
        ("7", "MESH-A006", "$"),
        ({"type": "record", "name": "R"}, "MESH-A006", "$.fields"),
        ({"type": "record", "fields": []}, "MESH-A006", "$.name"),
        ({"type": "array"}, "MESH-A006", "$"),
        ({"type": "enum", "name": "E", "symbols": []}, "MESH-A006", "$.symbols"),
        ({"type": "fixed", "name": "F", "size": -1}, "MESH-A006", "$.size"),
        ({"type": "fixed", "name": "F", "size": True}, "MESH-A006", "$.size"),
        (record(field("a", "int", order="up")), "MESH-A006", "$.fields[0].order"),
        (record(field("a", "int"), field("a", "int")), "MESH-A007", "$.fields[1]"),
        ({"type": "enum", "name": "E", "symbols": ["A", "A"]}, "MESH-A007", "$.symbols[1]"),
        (["int", "int"], "MESH-A007", "$[1]"),
        (["string", {"type": "string", "logicalType": "uuid"}], "MESH-A007", "$[1]"),
        (["null", ["int"]], "MESH-A008", "$[1]"),
        ([], "MESH-A008", "$"),
        (record(field("a", ["null", record(field("b", "R"), name="B")])), "MESH-A010", "$"),
        ({"type": "array", "items": "null"}, "MESH-A011", "$.items"),
        ({"type": "map", "values": "null"}, "MESH-A011", "$.values"),
        ({"type": "array", "items": record(field("a", record(name="B")))}, "MESH-A011", "$.items"),
        ({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}, "MESH-A011", "$.items"),
        ({"type": "int", "__fastavro_parsed__": True}, "MESH-A013", "$"),
        (record(field("a", "int", __named_schemas={})), "MESH-A013", "$.fields[0]"),
    ],
)
def test_a_schema_is_refused_with_a_code_and_a_place(schema: object, code: str, where: str | None) -> None:
    error = refusal_of(schema)
    assert error.error_code == code
    assert where in (None, str(error.where))


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ("int", 2**31),
        ("int", True),
        ("int", 1.0),
        ("long", 2**63),
        ("float", "1"),
        ("float", 1e39),
        ("boolean", 0),
        ("string", None),
        ("bytes", "\u0100"),
        ({"type": "fixed", "name": "F", "size": 2}, "a"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, "B"),
        ({"type": "array", "items": "int"}, ["a"]),
        ({"type": "map", "values": "int"}, []),
        (["null", "int"], "a"),
        (record(field("x", "int"), name="B"), {}),
        (record(field("x", "int"), name="B"), {"x": 1, "y": 2}),
    ],
)
def test_a_default_of_another_type_is_refused(kind: object, default: object) -> None:
    error = refusal_of(record(field("a", kind, default=default)))
    assert (error.error_code, str(error.where)) == ("MESH-A009", "$.fields[0].default")


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ("int", -(2**31)),
        ("double", 1),
        ("float", 0.5),
        ("bytes", "\u00ff"),
        (["null", "int"], 7),
        (["int", "null"], None),
        ({"type": "array", "items": "int"}, [1, 2]),
        (record(field("x", "int", default=1), name="B"), {}),
    ],
)
def test_a_default_of_its_type_is_kept(kind: object, default: object) -> None:
    schema = parse_schema(json.dumps(record(field("a", kind, default=default))))
    assert json.loads(schema.text)["fields"][0]["default"] == default


def test_types_may_be_nested_as_deep_as_the_limit_and_no_deeper() -> None:
    parse_schema(nested_arrays(limits.SCHEMA_DEPTH))
    assert refusal_of(nested_arrays(limits.SCHEMA_DEPTH + 1)).error_code == "MESH-A002"


def test_depth_reached_through_references_counts() -> None:
    parse_schema(json.dumps(chain(30)))
    assert refusal_of(chain(200)).error_code == "MESH-A002"


def test_types_that_double_at_every_level_are_refused() -> None:
    parse_schema(json.dumps(doubling(10)))
    assert refusal_of(doubling(40)).error_code == "MESH-A002"


def test_as_many_types_as_the_limit_are_allowed_and_no_more() -> None:
    fields = [field(f"f{index}", "int") for index in range(limits.SCHEMA_NODES)]
    parse_schema(json.dumps(record(*fields[:-1])))
    assert refusal_of(record(*fields)).error_code == "MESH-A002"


def test_names_may_be_as_long_as_the_limit_and_no_longer() -> None:
    parse_schema(json.dumps(record(name="n" * limits.NAME_LENGTH)))
    assert refusal_of(record(name="n" * (limits.NAME_LENGTH + 1))).error_code == "MESH-A003"


def test_enums_may_have_as_many_symbols_as_the_limit_and_no_more() -> None:
    symbols = [f"S{index}" for index in range(limits.ENUM_SYMBOLS + 1)]
    parse_schema(json.dumps({"type": "enum", "name": "E", "symbols": symbols[:-1]}))
    assert refusal_of({"type": "enum", "name": "E", "symbols": symbols}).error_code == "MESH-A002"


def test_unions_may_have_as_many_branches_as_the_limit_and_no_more() -> None:
    branches = [
        {"type": "fixed", "name": f"F{index}", "size": 1} for index in range(limits.UNION_BRANCHES + 1)
    ]
    parse_schema(json.dumps(branches[:-1]))
    assert refusal_of(branches).error_code == "MESH-A002"


def test_recursion_is_allowed_where_it_is_asked_for() -> None:
    text = json.dumps(record(field("next", ["null", "R"])))
    assert parse_recursive_schema(text).recursive


@pytest.mark.parametrize(
    "schema",
    [
        record(field("self", "R")),
        record(field("a", record(field("b", "R"), name="B"))),
        record(field("a", ["R", record(field("b", "R"), name="B")])),
    ],
)
def test_a_record_that_no_finite_value_can_have_is_refused(schema: object) -> None:
    with pytest.raises(SchemaError, match="no finite value") as error:
        parse_recursive_schema(json.dumps(schema))
    assert error.value.error_code == "MESH-A012"


def test_a_record_inside_a_recursive_one_is_not_taken_for_endless() -> None:
    inner = record(field("up", "R"), name="B")
    assert parse_recursive_schema(json.dumps(record(field("next", ["null", inner])))).recursive


@pytest.mark.parametrize(
    "spelling",
    [
        '{"type":"record","name":"a.R","fields":[{"name":"x","type":"int"}]}',
        '{ "fields": [ {"type": "int", "name": "x"} ], "namespace": "a", "name": "R", "type": "record" }',
        '{"type":"record","name":"a.R","namespace":"ignored","fields":[{"name":"x","type":{"type":"int"}}]}',
        '{"type":"record","name":"a.R","fields":[{"name":"x","type":"int","order":"ascending"}]}',
        '{"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":"int","aliases":[]}],"aliases":[]}',
    ],
)
def test_spellings_of_one_schema_are_one_schema(spelling: str) -> None:
    plain = '{"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":"int"}]}'
    assert parse_schema(spelling).text == plain


@pytest.mark.parametrize("more", [{"doc": "d"}, {"aliases": ["S"]}, {"owner": "me"}])
def test_what_the_author_wrote_makes_another_schema(more: dict[str, object]) -> None:
    plain, changed = (parse_schema(json.dumps(record(field("x", "int"), **extra))) for extra in ({}, more))
    assert plain.fingerprint != changed.fingerprint


def test_an_inherited_namespace_and_a_written_one_are_alike() -> None:
    inherited = record(field("b", record(name="B")), field("c", "B"), name="a.R")
    written = record(field("b", record(name="a.B")), field("c", "a.B"), name="a.R")
    assert parse_schema(json.dumps(inherited)) == parse_schema(json.dumps(written))


def test_parsing_the_text_again_gives_the_same_text() -> None:
    inner = record(name="C", namespace="")
    schema = parse_schema(
        json.dumps(record(field("b", inner), field("c", ["null", {"type": "int"}]), name="a.R"))
    )
    assert parse_schema(schema.text).text == schema.text


def test_the_normal_text_ignores_the_order_of_free_attributes() -> None:
    one, two = (parse_schema(json.dumps(record(**more))) for more in ({"p": 1, "q": 2}, {"q": 2, "p": 1}))
    assert one.text != two.text
    assert one.normal_text() == two.normal_text()


def test_a_logical_type_that_does_not_hold_is_kept_but_hidden_from_codecs() -> None:
    schema = parse_schema('{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}')
    assert schema.tree == {"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 3}
    assert schema.codec_tree == "bytes"


def test_codecs_see_no_attribute_they_do_not_know() -> None:
    schema = parse_schema(
        json.dumps(record(field("x", {"type": "int", "logicalType": "date"}, pii=True), owner="me"))
    )
    assert schema.codec_tree == record(field("x", {"type": "int", "logicalType": "date"}))


def test_a_record_knows_its_full_name() -> None:
    assert parse_schema(json.dumps(record(name="a.b.R"))).fullname == "a.b.R"
