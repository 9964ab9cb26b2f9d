"""Events made from contracts: every rule kept, the same for the same seed, and joins that hit."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.adapters.workspace import read_sources
from mesh.contract.model import Contract
from mesh.contract.record_rules import record_rules
from mesh.declaration import Declaration, declare
from mesh.errors import DeclarationError
from mesh.event import frame_prefix
from mesh.fake import Fake, events
from mesh.rules.closures import compile_closures
from tests.unit.contract_kit import contract_of, field

ROOT = Path(__file__).resolve().parents[2]


@cache
def example() -> Declaration:
    return declare(read_sources([ROOT / "contracts", ROOT / "domains"], ROOT))


CONTRACTS = sorted(example().contracts)


def made(contract_id: str, count: int, seed: int = 3) -> list[dict[str, Any]]:
    found = example().contracts
    return events(found[contract_id], count, seed=seed, among=found.values())


def values(prop: dict[str, Any], count: int = 200, **more: Any) -> list[Any]:
    """What is made of a property, beside a key."""
    contract = contract_of([field("id", primaryKey=True), prop], **more)
    return [event[prop["name"]] for event in Fake(contract, 1).batch(count).to_pylist()]


@pytest.mark.parametrize("contract_id", CONTRACTS)
def test_every_event_keeps_the_contract_and_is_encoded(contract_id: str) -> None:
    fake = Fake(example().contracts[contract_id], 3, example().contracts.values())
    batch = fake.batch(500)

    assert fake.port.guard.check(batch).valid is None
    assert len(fake.port.codec.encode(batch, frame_prefix(1))) == 500


@pytest.mark.parametrize("contract_id", CONTRACTS)
def test_the_same_seed_makes_the_same_events_and_a_longer_run_goes_on(contract_id: str) -> None:
    assert made(contract_id, 40)[:15] == made(contract_id, 15)


@pytest.mark.parametrize("contract_id", CONTRACTS)
def test_another_seed_makes_other_events(contract_id: str) -> None:
    assert made(contract_id, 40, seed=3) != made(contract_id, 40, seed=4)


@pytest.mark.parametrize("contract_id", CONTRACTS)
def test_keys_never_repeat(contract_id: str) -> None:
    key = example().contracts[contract_id].key
    found = [tuple(event[name] for name in key) for event in made(contract_id, 500)]

    assert len(set(found)) == 500


@pytest.mark.parametrize(
    ("reader", "column", "target", "key"),
    [
        ("operations.departures.v1", "carrier", "network.carriers.v1", "code"),
        ("operations.departures.v1", "origin", "network.airports.v1", "faa"),
        ("operations.departures.v1", "destination", "network.airports.v1", "faa"),
        ("operations.departures.v1", "tail_number", "fleet.aircraft.v1", "tail_number"),
    ],
)
def test_references_hit_what_the_same_seed_makes_there(
    reader: str, column: str, target: str, key: str
) -> None:
    there = {event[key] for event in made(target, 10)}
    named = {event[column] for event in made(reader, 200)} - {None}

    assert named <= there
    assert len(named) > 1


def test_a_key_that_refers_takes_as_many_values_as_it_needs() -> None:
    departures = {event["flight_id"] for event in made("operations.departures.v1", 50)}

    assert {event["flight_id"] for event in made("punctuality.delay-causes.v1", 50)} == departures


def test_events_come_in_the_order_of_their_time() -> None:
    moments = [event["departed_at"] for event in made("operations.departures.v1", 300)]

    assert moments == sorted(moments)


def test_a_property_more_changes_nothing_in_the_others() -> None:
    before = contract_of([field("id", primaryKey=True), field("amount", "number")])
    after = contract_of([field("id", primaryKey=True), field("note"), field("amount", "number")])

    assert [e["amount"] for e in events(before, 50)] == [e["amount"] for e in events(after, 50)]


def test_optional_values_are_sometimes_null_and_required_ones_never() -> None:
    optional, required = values(field("note")), values(field("note", required=True))

    assert 5 < optional.count(None) < 50
    assert None not in required


def test_nulls_stay_within_what_a_window_rule_lets_pass() -> None:
    rule = {"metric": "nullValues", "mustBe": 0, "severity": "warning"}

    assert None not in values(field("note", quality=[rule]))


def test_values_follow_the_frequency_of_the_examples() -> None:
    found = values(field("size", required=True, examples=["M", "M", "M", "M", "S"]), 600)

    assert found.count("M") > 2 * found.count("S")


def test_numbers_stay_around_their_examples() -> None:
    found = values(field("age", "integer", required=True, examples=[30, 40, 50]))

    assert 20 < min(found) < max(found) < 60


@pytest.mark.parametrize("kind", ["uuid", "email", "uri", "hostname", "ipv4", "ipv6", "byte", "binary"])
def test_text_has_the_format_of_its_name(kind: str) -> None:
    shapes = {
        "uuid": r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        "email": r"^[a-z.0-9]+@example\.org$",
        "uri": r"^https://[a-z0-9-]+\.example\.org/",
        "hostname": r"^[a-z]+-[0-9]+\.example\.org$",
        "ipv4": r"^192\.0\.2\.[0-9]{1,3}$",
        "ipv6": r"^2001:db8::",
        "byte": r"^[A-Za-z0-9+/]+=*$",
        "binary": r"^[0-9a-f]+$",
    }
    rule = {"metric": "invalidValues", "arguments": {"pattern": shapes[kind]}, "mustBe": 0, "name": "shape"}

    assert values(field("it", required=True, logicalTypeOptions={"format": kind}))
    assert values(field("it", required=True, logicalTypeOptions={"format": kind}, quality=[rule]))


def test_all_combinations_are_made_when_a_key_has_no_more() -> None:
    key = [field("a", primaryKey=True, primaryKeyPosition=1, enum=[{"value": "x"}, {"value": "y"}])]
    key += [
        field(
            "b",
            "integer",
            primaryKey=True,
            primaryKeyPosition=2,
            logicalTypeOptions={"minimum": 1, "maximum": 3},
        )
    ]
    contract = contract_of(key)

    assert len({(e["a"], e["b"]) for e in events(contract, 6)}) == 6
    with pytest.raises(DeclarationError) as caught:
        events(contract, 7)
    assert caught.value.error_code == "MESH-C152"


def test_references_in_a_circle_end() -> None:
    contract = contract_of(
        [
            field("id", primaryKey=True, relationships=[{"to": "flights.other"}]),
            field("other", required=True, relationships=[{"to": "flights.id"}]),
        ]
    )

    assert len(events(contract, 5)) == 5


@pytest.mark.parametrize(
    ("prop", "named"),
    [
        (
            field("n", "integer", logicalTypeOptions={"exclusiveMinimum": 4, "exclusiveMaximum": 5}),
            "n is in range",
        ),
        (
            field("n", "integer", logicalTypeOptions={"minimum": 1, "maximum": 4, "multipleOf": 5}),
            "n is a multiple",
        ),
        (field("n", enum=[{"value": "abc"}], logicalTypeOptions={"maxLength": 2}), "n is one of its values"),
        (field("n", logicalTypeOptions={"pattern": "^a{9}$", "maxLength": 2}), "n matches its pattern"),
        (
            field(
                "n",
                "array",
                items={"logicalType": "boolean"},
                logicalTypeOptions={"minItems": 3, "uniqueItems": True},
            ),
            "n has distinct items",
        ),
    ],
)
def test_rules_that_no_value_keeps_are_an_error_that_names_them(prop: dict[str, Any], named: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        events(contract_of([field("id", primaryKey=True), prop]), 30)

    assert caught.value.error_code == "MESH-C150"
    assert named in str(caught.value)


def test_examples_stand_in_for_a_pattern_that_cannot_be_made() -> None:
    odd = field("n", required=True, logicalTypeOptions={"pattern": r"^\p{Greek}+$"})

    with pytest.raises(DeclarationError) as caught:
        values(odd)
    assert caught.value.error_code == "MESH-C151"
    assert set(values({**odd, "examples": ["αβγ", "latin"]})) == {"αβγ"}


def test_examples_stand_in_where_no_text_of_the_format_is_short_enough() -> None:
    short = field("n", required=True, logicalTypeOptions={"format": "email", "maxLength": 8})

    assert set(values({**short, "examples": ["a@b.org"]})) == {"a@b.org"}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("number", {"minimum": 0.1, "maximum": 0.1}),
        ("number", {"exclusiveMinimum": 1e300}),
        ("number", {"multipleOf": 0.1, "minimum": 0, "maximum": 1, "format": "f32"}),
        ("integer", {"minimum": -(2**63), "maximum": 2**63 - 1}),
        ("integer", {"multipleOf": 2.5}),
        ("timestamp", {"minimum": "2020-01-01T00:00:00Z", "maximum": "2020-01-01T00:00:01Z"}),
        ("string", {"minLength": 0, "maxLength": 0}),
        ("string", {"minLength": 400}),
    ],
)
def test_narrow_and_wide_rules_have_values(kind: str, options: dict[str, Any]) -> None:
    assert len(values(field("n", kind, required=True, logicalTypeOptions=options))) == 200


# --- contracts that nobody wrote -----------------------------------------------------------------

RANGES = st.tuples(st.integers(-(10**6), 10**6), st.integers(0, 10**6))


@st.composite
def leaf(draw: st.DrawFn) -> dict[str, Any]:
    """The type of a property with rules that some value keeps."""
    kind = draw(
        st.sampled_from(["string", "integer", "number", "decimal", "date", "timestamp", "time", "boolean"])
    )
    low, width = draw(RANGES)
    match kind:
        case "string":
            least, more = draw(st.integers(0, 12)), draw(st.integers(0, 12))
            length = {"minLength": least, "maxLength": least + more}
            pattern = draw(st.sampled_from(["^[a-z]*$", "[A-Z0-9]*", r"^\w*$", ""]))
            return {
                "logicalType": "string",
                "logicalTypeOptions": {**length, **({"pattern": pattern} if pattern else {})},
            }
        case "integer":
            step = draw(st.integers(1, 50))
            bounds = {"minimum": low, "maximum": low + width + step}
            return {
                "logicalType": kind,
                "logicalTypeOptions": {**bounds, "multipleOf": step, "format": "i32"},
            }
        case "number":
            bounds = {"exclusiveMinimum": low, "maximum": low + width + 1}
            size = draw(st.sampled_from(["f32", "f64"]))
            return {"logicalType": kind, "logicalTypeOptions": {**bounds, "format": size}}
        case "decimal":
            scale = draw(st.integers(0, 4))
            precision = [{"property": "precision", "value": 12}, {"property": "scale", "value": scale}]
            options = {"minimum": low, "exclusiveMaximum": low + width + 1}
            return {"logicalType": "number", "logicalTypeOptions": options, "customProperties": precision}
        case "date":
            return {
                "logicalType": kind,
                "logicalTypeOptions": {"minimum": "2020-02-29", "maximum": "2020-03-01"},
            }
        case "timestamp":
            utc = draw(st.booleans())
            return {
                "logicalType": kind,
                "logicalTypeOptions": {"minimum": "2020-02-29T00:00:00Z", "timezone": utc},
            }
    return {"logicalType": kind}


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    lists = st.builds(
        lambda item, low, more: {
            "logicalType": "array",
            "items": item,
            "logicalTypeOptions": {"minItems": low, "maxItems": low + more},
        },
        inner,
        st.integers(0, 3),
        st.integers(0, 3),
    )
    maps = st.builds(
        lambda value: {"logicalType": "map", "map": {"key": {"logicalType": "string"}, "value": value}}, inner
    )
    objects = st.builds(
        lambda parts: {
            "logicalType": "object",
            "properties": [
                {"name": f"part_{n}", "required": n % 2 == 0, **part} for n, part in enumerate(parts)
            ],
        },
        st.lists(inner, min_size=1, max_size=3),
    )
    return st.one_of(lists, maps, objects)


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    kinds = draw(st.lists(st.recursive(leaf(), nested, max_leaves=4), min_size=1, max_size=4))
    required = draw(st.lists(st.booleans(), min_size=len(kinds), max_size=len(kinds)))
    properties = [
        {"name": f"field_{n}", "required": there, **kind}
        for n, (kind, there) in enumerate(zip(kinds, required, strict=True))
    ]
    return contract_of([field("id", primaryKey=True), *properties])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(contract=contracts(), seed=st.integers(0, 1000))
def test_events_of_any_contract_keep_it(contract: Contract, seed: int) -> None:
    fake = Fake(contract, seed)
    batch = fake.batch(20)
    guard = compile_closures(record_rules(contract), fake.port.codec.arrow_schema)

    assert len(fake.port.codec.encode(batch, frame_prefix(1))) == 20
    assert [guard.check(event) for event in fake.events(20)] == [()] * 20
