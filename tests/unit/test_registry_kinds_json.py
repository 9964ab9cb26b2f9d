"""JSON Schema in the registry: valid in its dialect, nothing fetched, compatible only when proven."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mesh import limits
from mesh.compatibility import Level
from mesh.errors import SchemaError
from mesh_platform.registry.kinds import Kind, Parsed, parse, reasons
from mesh_platform.registry.kinds.json_dialect import DIALECTS

OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED = {**OPEN, "additionalProperties": False}


def schema(tree: object, **references: Parsed) -> Parsed:
    text = tree if isinstance(tree, str) else json.dumps(tree)
    return parse(Kind.JSON, text, {name.replace("_", "."): part for name, part in references.items()})


def refusal(tree: object) -> SchemaError:
    with pytest.raises(SchemaError) as error:
        schema(tree)
    return error.value


def verdict(new: object, earlier: object, level: Level = Level.BACKWARD) -> list[str]:
    return [reason.type for reason in reasons(schema(new), [schema(earlier)], level)]


@pytest.mark.parametrize("dialect", [dialect.address for dialect in DIALECTS])
def test_every_dialect_is_known_and_holds_a_schema_to_its_rules(dialect: str) -> None:
    assert schema({"$schema": dialect, "type": "string"}).text
    assert refusal({"$schema": dialect, "type": "strin"}).error_code == "MESH-A024"


@pytest.mark.parametrize(
    ("tree", "code"),
    [
        ("{", "MESH-A001"),
        ('{"type":"string","type":"integer"}', "MESH-A001"),
        ("7", "MESH-A006"),
        ([], "MESH-A006"),
        ({"$schema": "http://example.com/own"}, "MESH-A023"),
        ({"$schema": "http://json-schema.org/draft-03/schema#"}, "MESH-A023"),
        ({"$schema": 7}, "MESH-A023"),
        ({"$defs": {"a": {"$ref": "#/nowhere"}}, "$ref": "#/$defs/a"}, "MESH-A025"),
        ({"$ref": "#/title", "title": "text"}, "MESH-A025"),
        ({"$ref": "#/own", "own": {"type": "strin"}}, "MESH-A024"),
        ({"properties": {"a": {"$ref": "http://127.0.0.1:9/a.json"}}}, "MESH-A025"),
        ({"$ref": "file:///etc/hostname"}, "MESH-A025"),
        ({"$ref": "other.json"}, "MESH-A025"),
        ({"$ref": "http://["}, "MESH-A024"),
    ],
)
def test_what_is_no_schema_or_leads_nowhere_is_refused(tree: object, code: str) -> None:
    assert refusal(tree).error_code == code


def test_nothing_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("a connection was made")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/s.json"
        monkeypatch.setattr(socket.socket, "connect", connect)
        for tree in ({"$ref": address}, {"$schema": address}, {"$id": address, "$ref": "t.json"}):
            refusal(tree)
        with pytest.raises(BlockingIOError):  # nobody called
            listener.accept()


def test_white_space_is_nothing_and_the_order_of_keywords_only_nothing_when_normal() -> None:
    one, two = schema('{ "type": "string", "minLength": 1 }'), schema('{"minLength":1,"type":"string"}')
    assert one.text == '{"type":"string","minLength":1}'
    assert one.text != two.text
    assert one.normal_text() == two.normal_text()


def test_the_fields_are_the_properties_at_the_top() -> None:
    assert schema({**OPEN, "items": {"properties": {"b": True}}}).fields == {"a"}


def test_a_reference_is_used_by_its_name_or_relative_to_the_id() -> None:
    part, other = schema({"type": "integer"}), schema({"type": "string"})
    plain = schema({"properties": {"x": {"$ref": "part.json"}}}, part_json=part, other_json=other)
    assert plain.used == {"part.json"}
    named = schema({"$id": "https://e.org/a/b.json", "items": {"$ref": "part.json#"}}, part_json=part)
    assert named.used == {"part.json"}


def test_a_reference_leads_on_to_its_own_references() -> None:
    leaf = schema({"type": "integer"})
    branch = schema({"items": {"$ref": "leaf.json"}}, leaf_json=leaf)
    root = schema({"items": {"$ref": "branch.json"}}, branch_json=branch)
    wider = schema({"items": {"$ref": "leaf.json"}}, leaf_json=schema({"type": ["integer", "null"]}))
    other = schema({"items": {"$ref": "branch.json"}}, branch_json=wider)
    assert root.text == other.text
    assert not reasons(other, [root], Level.BACKWARD)
    assert [found.type for found in reasons(root, [other], Level.BACKWARD)] == ["VALUES_REFUSED"]


def test_one_name_that_leads_to_two_schemas_is_refused() -> None:
    one, two = schema({"type": "integer"}), schema({"type": "string"})
    branch = schema({"$ref": "leaf.json"}, leaf_json=one)
    with pytest.raises(SchemaError, match="leads to two schemas"):
        schema({"$ref": "branch.json"}, branch_json=branch, leaf_json=two)


def test_a_schema_may_refer_to_itself() -> None:
    tree = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    assert not verdict(tree, tree)


@pytest.mark.parametrize("pattern", ["^(a+)+$", "[a-z]{3}", "a|b", "^é$"])
def test_a_pattern_in_linear_time_is_safe(pattern: str) -> None:
    assert not schema({"type": "string", "pattern": pattern}).hazards


def test_a_pattern_that_needs_backtracking_is_not_called_safe() -> None:
    found = schema({"patternProperties": {"(a+)+\\1$": True}}).hazards
    assert [hazard.code for hazard in found] == ["MESH-A026"]


def nested(depth: int) -> str:
    return '{"not":' * (depth - 1) + "{}" + "}" * (depth - 1)


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        (nested(2 * limits.SCHEMA_DEPTH + 8), nested(2 * limits.SCHEMA_DEPTH + 9)),
        (nested(2 * limits.SCHEMA_DEPTH + 7), nested(100_000)),
        *[
            ({keyword: [{}] * most}, {keyword: [{}] * (most + 1)})
            for keyword, most in (("anyOf", limits.UNION_BRANCHES), ("oneOf", limits.UNION_BRANCHES))
        ],
        (
            {"enum": list(range(limits.ENUM_SYMBOLS))},
            {"enum": list(range(limits.ENUM_SYMBOLS + 1))},
        ),
        (
            {"properties": {f"p{n}": {} for n in range(limits.SCHEMA_NODES - 1)}},
            {"properties": {f"p{n}": {} for n in range(limits.SCHEMA_NODES)}},
        ),
        ({"pattern": "a" * limits.PATTERN_LENGTH}, {"pattern": "a" * (limits.PATTERN_LENGTH + 1)}),
        ({"title": "a" * (limits.SCHEMA_BYTES - 12)}, {"title": "a" * (limits.SCHEMA_BYTES - 11)}),
    ],
    ids=["depth", "hostile-depth", "anyOf", "oneOf", "enum", "schemas", "pattern", "bytes"],
)
def test_a_schema_is_as_large_as_its_limits_and_no_larger(within: object, beyond: object) -> None:
    text = json.dumps(within, separators=(",", ":")) if isinstance(within, dict) else within
    assert schema(text).text
    over = json.dumps(beyond, separators=(",", ":")) if isinstance(beyond, dict) else beyond
    assert refusal(over).error_code == "MESH-A002"


@pytest.mark.parametrize(
    ("new", "earlier", "found"),
    [
        (OPEN, {**OPEN, "required": ["a"]}, []),
        ({**OPEN, "required": ["a"]}, OPEN, ["VALUES_REFUSED"]),
        ({"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}, OPEN, ["VALUES_REFUSED"]),
        ({**CLOSED, "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}, CLOSED, []),
        ({"enum": ["x", "y"]}, {"enum": ["x"]}, []),
        ({"enum": ["x"]}, {"enum": ["x", "y"]}, ["VALUES_REFUSED"]),
        ({"type": "number"}, {"type": "integer"}, []),
        ({"type": "integer"}, {"type": "string"}, ["VALUES_REFUSED"]),
        ({"type": ["string", "null"]}, {"type": "string"}, []),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"type": "integer"}, []),
        (
            {"type": "string", "pattern": "^a"},
            {"type": "string", "pattern": "^ab"},
            ["CANNOT_BE_JUDGED"],
        ),
        (
            {"$schema": DIALECTS[0].address, "type": "number"},
            {"$schema": DIALECTS[4].address, "type": "integer"},
            ["CANNOT_BE_JUDGED"],
        ),
    ],
)
def test_a_schema_follows_when_it_is_proven_to_accept_every_earlier_value(
    new: dict[str, object], earlier: dict[str, object], found: list[str]
) -> None:
    assert verdict(new, earlier) == found
    assert verdict(earlier, new, Level.FORWARD) == found


def test_full_asks_both_ways() -> None:
    wide, narrow = {"enum": ["x", "y"]}, {"enum": ["x"]}
    assert [verdict(wide, narrow, level) for level in (Level.BACKWARD, Level.FORWARD, Level.FULL)] == [
        [],
        ["VALUES_REFUSED"],
        ["VALUES_REFUSED"],
    ]


@pytest.mark.parametrize("level", list(Level))
def test_the_same_schema_follows_itself_even_where_nobody_could_judge(level: Level) -> None:
    tree = {"allOf": [{"anyOf": [{"required": [f"a{n}"]}, {"required": [f"b{n}"]}]} for n in range(90)]}
    assert not verdict(tree, tree, level)


def test_without_a_level_nothing_is_judged() -> None:
    assert not verdict({"type": "string", "pattern": "^a"}, {"pattern": "b$"}, Level.NONE)


def choices(count: int, **more: object) -> dict[str, object]:
    parts = [{"properties": {f"p{n}": {"type": "string"}}, "required": [f"p{n}"]} for n in range(count)]
    others = [{"properties": {f"q{n}": {"type": "integer"}}} for n in range(count)]
    return {"allOf": [{"anyOf": list(pair)} for pair in zip(parts, others, strict=True)], **more}


def conditions(count: int, length: int) -> dict[str, object]:
    return {
        "allOf": [
            {
                "if": {"properties": {"k": {"const": n}}},
                "then": {"properties": {f"f{n}": {"minLength": length}}},
            }
            for n in range(count)
        ]
    }


def variants(count: int, fields: int) -> dict[str, object]:
    return {
        "oneOf": [
            {"properties": {**{f"p{n}x{k}": {"type": "string"} for k in range(fields)}, "kind": {"const": n}}}
            for n in range(count)
        ]
    }


def ladder(rungs: int, length: int) -> dict[str, object]:
    """Definitions that each hold the next twice."""
    steps: dict[str, object] = {
        f"d{n}": {
            "allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"anyOf": [{"required": [f"a{n}"]}, {"minItems": n}]}]
        }
        for n in range(rungs)
    }
    return {"$defs": {**steps, f"d{rungs}": {"minLength": length}}, "$ref": "#/$defs/d0"}


HOSTILE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    *((f"choices {n}", choices(n), choices(n, minProperties=1)) for n in (4, 5, 7, 60)),
    *((f"conditions {n}", conditions(n, 0), conditions(n, 1)) for n in (4, 20, 90)),
    *((f"variants {n}x{k}", variants(n + 1, k), variants(n, k)) for n, k in ((10, 5), (30, 5), (20, 100))),
    *((f"ladder {n}", ladder(n, 0), ladder(n, 1)) for n in (3, 4, 20, 500)),
    ("enums", {"enum": [f"v{n}" for n in range(9_999)]}, {"enum": [f"v{n}" for n in range(10_000)]}),
    (
        "nots",
        {"not": {"anyOf": [choices(n) for n in range(1, 20)]}},
        {"not": {"anyOf": [choices(n) for n in range(1, 21)]}},
    ),
    (
        "patterns",
        {"patternProperties": {f"a{n}.*b": {"minimum": n} for n in range(400)}},
        {"patternProperties": {f"a{n}.*b": {"minimum": n + 1} for n in range(400)}},
    ),
    (
        "fields",
        {"properties": {f"a{n}": {"minimum": n} for n in range(1_500)}},
        {"properties": {f"a{n}": {"minimum": n + 1} for n in range(1_500)}},
    ),
]


@pytest.mark.parametrize(
    ("new", "earlier"), [pair[1:] for pair in HOSTILE], ids=[pair[0] for pair in HOSTILE]
)
def test_the_worst_pairs_are_answered_within_a_second(new: dict[str, Any], earlier: dict[str, Any]) -> None:
    one, two = schema(new), schema(earlier)
    begun = time.process_time()
    reasons(one, [two], Level.FULL)
    assert time.process_time() - begun < 1.0


SCALARS: list[Any] = [
    {"type": "string"},
    {"type": "integer"},
    {"type": "number", "minimum": 0},
    {"type": "integer", "maximum": 3},
    {"type": ["string", "null"]},
    {"enum": ["x", 1, None]},
    {"type": "string", "maxLength": 2},
    {"const": "x"},
    True,
]
NESTED = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            },
            optional={
                "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
                "additionalProperties": st.booleans(),
            },
        ),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)
VALUES = st.recursive(
    st.sampled_from(["", "x", "xyz", 0, 1, 7, -1, 0.5, None, True]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=6,
)
CALM = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@CALM
@given(NESTED, NESTED, st.lists(VALUES, min_size=8, max_size=8), st.booleans())
def test_what_a_proven_pair_accepted_before_it_accepts_after(
    new: Any, earlier: Any, values: list[Any], widened: bool
) -> None:
    import jsonschema

    if widened:
        new = {"anyOf": [earlier, new]}
    assume(isinstance(new, dict) and isinstance(earlier, dict))
    assume(not verdict(new, earlier))
    before, after = jsonschema.Draft7Validator(earlier), jsonschema.Draft7Validator(new)
    for value in values:
        assert after.is_valid(value) or not before.is_valid(value)
