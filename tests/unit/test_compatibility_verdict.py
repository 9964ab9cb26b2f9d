"""One answer about a new schema: passed, failed with reasons, or unknown and why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh import limits
from mesh.compatibility import Level, logical_changes, verdict
from mesh.errors import SchemaError
from mesh.schema import AvroSchema, parse_recursive_schema, parse_schema

MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
DATE = {"type": "int", "logicalType": "date"}


def schema(*fields: tuple[str, Any], name: str = "R") -> AvroSchema:
    parts = [{"name": part, "type": kind} for part, kind in fields]
    return parse_schema(json.dumps({"type": "record", "name": name, "fields": parts}))


def test_what_breaks_nobody_has_passed() -> None:
    assert verdict(schema(), [schema(("a", "int"))], Level.BACKWARD).outcome == "passed"


def test_a_break_has_failed_and_says_why() -> None:
    found = verdict(schema(("a", "int")), [schema()], Level.BACKWARD)
    assert (found.outcome, len(found.sentences)) == ("failed", 1)


def test_a_change_of_meaning_fails_though_registries_let_it_through() -> None:
    found = verdict(schema(("t", MICROS)), [schema(("t", MILLIS))], Level.BACKWARD)
    assert (found.outcome, found.incompatibilities) == ("failed", ())


def test_at_level_none_a_change_of_meaning_is_told_and_refuses_nothing() -> None:
    found = verdict(schema(("t", MICROS)), [schema(("t", MILLIS))], Level.NONE)
    assert (found.outcome, len(found.meanings)) == ("passed", 1)


@pytest.mark.parametrize(("level", "told"), [(Level.BACKWARD, 0), (Level.BACKWARD_TRANSITIVE, 1)])
def test_a_meaning_of_long_ago_counts_where_all_schemas_count(level: Level, told: int) -> None:
    writers = [schema(("t", MILLIS)), schema(("t", MICROS))]
    assert len(verdict(schema(("t", MICROS)), writers, level).meanings) == told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["null", DATE], ["null", MICROS]),
        (DATE, ["null", MICROS]),
        (["null", DATE], ["null", "long"]),
        ({"type": "array", "items": DATE}, {"type": "array", "items": MICROS}),
    ],
)
def test_a_meaning_lost_in_a_promotion_is_told(before: Any, after: Any) -> None:
    (change,) = logical_changes(schema(("t", after)), schema(("t", before)))
    assert change.before == "date"


def test_an_added_branch_changes_no_meaning() -> None:
    assert logical_changes(schema(("t", ["null", MICROS, "string"])), schema(("t", ["null", MICROS]))) == ()


def test_a_record_of_another_namespace_is_the_same_one() -> None:
    def inside(namespace: str, kind: Any) -> Any:
        fields = [{"name": "t", "type": kind}]
        return ["null", {"type": "record", "name": "B", "namespace": namespace, "fields": fields}]

    (change,) = logical_changes(schema(("b", inside("y", MICROS))), schema(("b", inside("x", MILLIS))))
    assert change.field == "b.t"


def test_a_comparison_may_take_as_many_steps_as_the_limit_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new, old = schema(("a", "int"), ("b", "long")), schema(("a", "int"), ("b", "int"))
    monkeypatch.setattr(limits, "COMPATIBILITY_STEPS", 3)  # the record and its two fields
    assert verdict(new, [old], Level.BACKWARD).outcome == "passed"
    monkeypatch.setattr(limits, "COMPATIBILITY_STEPS", 2)
    found = verdict(new, [old], Level.BACKWARD)
    assert found.outcome == "unknown"
    assert "too complex" in found.sentences[0]


def ring(length: int, kind: Any) -> AvroSchema:
    """A record that leads back to itself after `length` records."""
    tree: Any = "R0"
    for number in reversed(range(length)):
        fields = [{"name": "next", "type": ["null", tree]}, {"name": "v", "type": kind}]
        tree = {"type": "record", "name": f"R{number}", "fields": fields}
    return parse_recursive_schema(json.dumps(tree))


def test_two_rings_of_lengths_without_common_divisor_end_the_budget_and_not_the_process() -> None:
    def same_name(length: int) -> AvroSchema:
        names = {f'"R{number}"': f'"n{number}.R"' for number in range(length)}
        text = ring(length, "int").text
        for name, other in sorted(names.items(), reverse=True):
            text = text.replace(name, other)
        return parse_recursive_schema(text)

    assert verdict(same_name(29), [same_name(31)], Level.BACKWARD).outcome == "unknown"


def test_a_change_of_meaning_in_a_recursive_type_is_found_once() -> None:
    (change,) = logical_changes(ring(1, MICROS), ring(1, MILLIS))
    assert change.field == "v"


def test_meanings_of_too_many_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMPATIBILITY_STEPS", 1)
    with pytest.raises(SchemaError, match="MESH-A410"):
        logical_changes(schema(("t", MICROS)), schema(("t", MILLIS)))
