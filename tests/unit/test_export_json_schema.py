"""Contract to JSON Schema: valid by the metaschema; takes the events of the contract and no others."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from mesh.contract.model import Contract
from mesh.contract.reading import read_contract
from mesh.export.formats import FORMATS
from mesh.export.json_schema import event_schema
from tests.unit.contract_kit import contract_of, field
from tests.unit.test_example_events import SOURCE_ALIGNED, chunks

ROOT = Path(__file__).parents[2]
CONTRACTS = sorted((ROOT / "contracts").rglob("*.odcs.yaml"))
_FEW = 200


@cache
def example(file: Path) -> Contract:
    return read_contract(file.read_bytes(), str(file))


def validator(contract: Contract) -> Draft202012Validator:
    return Draft202012Validator(event_schema(contract), format_checker=FormatChecker())


def holds(prop: dict[str, Any], value: Any) -> bool:
    return validator(contract_of([prop])).is_valid({"f": value})


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    """A row as `mesh read` prints it."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.name.removesuffix(".odcs.yaml"))
def test_the_schema_of_an_example_contract_holds_by_the_metaschema(file: Path) -> None:
    schema = event_schema(example(file))
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("product_id", SOURCE_ALIGNED)
def test_events_of_the_example_are_valid(product_id: str) -> None:
    files = {example(file).id: file for file in CONTRACTS}
    contract = next(
        c for c in map(example, files.values()) if c.id.startswith(product_id.removesuffix(".v1"))
    )
    check = validator(contract)
    rows = chunks(product_id)[0].slice(0, _FEW).to_pylist()
    assert rows
    assert [
        next(iter(check.iter_errors(as_json(row)))).message
        for row in rows
        if not check.is_valid(as_json(row))
    ] == []


@pytest.mark.parametrize(
    ("prop", "good", "bad"),
    [
        (field("f"), ["", "x", None], [1, [], {}]),
        (field("f", required=True), ["x"], [None, 1]),
        (field("f", logicalTypeOptions={"minLength": 2, "maxLength": 3}), ["ab", "éé"], ["a", "abcd"]),
        (field("f", logicalTypeOptions={"pattern": "^[A-Z]+$"}), ["AB"], ["ab"]),
        (field("f", enum=[{"value": "A"}]), ["A", None], ["B", ""]),
        (field("f", required=True, enum=[{"value": "A"}]), ["A"], [None, "B"]),
        (field("f", "integer"), [0, 2**63 - 1, None], [2**63, 0.5, "1"]),
        (field("f", "integer", logicalTypeOptions={"format": "i32"}), [2**31 - 1], [2**31]),
        (field("f", "integer", logicalTypeOptions={"format": "u8", "maximum": 300}), [255], [256, -1]),
        (field("f", "integer", logicalTypeOptions={"minimum": 1, "exclusiveMaximum": 5}), [1, 4], [0, 5]),
        (field("f", "integer", logicalTypeOptions={"multipleOf": 3}), [9], [8]),
        (field("f", "number", logicalTypeOptions={"exclusiveMinimum": 0}), [0.1, 1], [0, -1, "1"]),
        (field("f", "boolean"), [True, None], [1, "true"]),
        (field("f", "date"), ["2026-02-28", None], [20260228, "2026-02-30"]),
        (field("f", "time"), ["12:30:00", "23:59:59.999"], ["24:00:00", "noon"]),
        (field("f", "timestamp"), ["2026-02-28T00:00:00Z"], [0, {}]),
        (
            field("f", "timestamp", logicalTypeOptions={"timezone": False}),
            ["2026-02-28T00:00:00"],
            ["2026-02-28T00:00:00Z", "today"],
        ),
        (field("f", "array", items={"logicalType": "integer"}), [[], [1], None], [[None], ["x"], 1]),
        (
            field("f", "array", items={"logicalType": "integer"}, logicalTypeOptions={"maxItems": 1}),
            [[1]],
            [[1, 2]],
        ),
        (
            field("f", "map", map={"key": {"logicalType": "string"}, "value": {"logicalType": "integer"}}),
            [{}, {"a": 1}],
            [{"a": "x"}, []],
        ),
        (
            field("f", "object", properties=[field("x", required=True), field("y")]),
            [{"x": "1"}, {"x": "1", "y": None}],
            [{}, {"y": "1"}, {"x": "1", "z": 1}],
        ),
        (
            field(
                "f",
                "number",
                customProperties=[{"property": "precision", "value": 4}, {"property": "scale", "value": 2}],
            ),
            [1.25, "12.34", "-1"],
            [1000, "123.4", "1.234", "x"],
        ),
        (
            field(
                "f",
                "object",
                customProperties=[{"property": "avroType", "value": ["null", "long", "string"]}],
            ),
            [1, "x", None],
            [True, []],
        ),
        (
            field(
                "f", quality=[{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["A"]}}]
            ),
            ["A"],
            ["B"],
        ),
        (field("f", quality=[{"metric": "nullValues", "mustBe": 0}]), ["A"], [None]),
    ],
    ids=lambda value: json.dumps(value)[:80],
)
def test_a_property_takes_what_the_contract_allows(
    prop: dict[str, Any], good: list[Any], bad: list[Any]
) -> None:
    assert [value for value in good if not holds(prop, value)] == []
    assert [value for value in bad if holds(prop, value)] == []


def test_a_required_property_must_be_there_and_an_optional_one_may_be_missing() -> None:
    check = validator(contract_of([field("a", required=True), field("b")]))
    assert check.is_valid({"a": "x"})
    assert not check.is_valid({"b": "x"})


def test_an_event_has_no_other_properties() -> None:
    assert not validator(contract_of([field("a")])).is_valid({"a": "x", "z": 1})


def test_what_json_schema_has_no_word_for_is_said() -> None:
    contract = contract_of(
        [
            field("d", "date", logicalTypeOptions={"minimum": "2020-01-01"}),
            field("p", logicalTypeOptions={"pattern": "(?i)^a"}),
        ]
    )
    found = FORMATS["json-schema"].findings(contract)
    assert [finding.message for finding in found] == [
        "not in JSON Schema: minimum 2020-01-01 of d",
        "not in JSON Schema: the pattern, which only RE2 understands, of p",
    ]
    assert validator(contract).is_valid({"d": "2019-01-01", "p": "A"})
