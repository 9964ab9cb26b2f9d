"""The language of policies: what holds, what does not, what cannot be told, and where a violation stands."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mesh import limits
from mesh.errors import Location
from mesh.policy import evaluate, findings_of
from tests.unit.policy_kit import TODAY, asked, policy, subject, verdict

DOCUMENT = """\
status: active
count: 3
long: P400D
day: '2027-01-10'
empty: ''
nothing:
name: homePhoneNumber
tags: [a, b]
team:
  members:
    - {username: ann, role: owner}
    - {username: bob, role: steward}
slaProperties:
  - {property: latency, value: 5, unit: m}
  - {property: availability, value: 99.5, unit: percent}
"""

HOLD: list[dict[str, Any]] = [
    {"path": "status", "exists": True},
    {"path": "empty", "exists": False},
    {"path": "nothing", "exists": False},
    {"path": "absent", "exists": False},
    {"path": "status", "equals": "active"},
    {"path": "count", "equals": 3},
    {"path": "status", "in": ["draft", "active"]},
    {"path": "status", "matches": "^act"},
    {"path": "tags", "contains": "b"},
    {"path": "tags", "containsAny": ["z", "a"]},
    {"path": "name", "contains": "Phone"},
    {"path": "name", "words": ["phone number"]},
    {"path": "name", "is": "text"},
    {"path": "day", "is": "date"},
    {"path": "name", "length": {"atLeast": 15, "atMost": 15}},
    {"path": "tags", "length": {"lessThan": 3}},
    {"path": "count", "atLeast": 3, "lessThan": 4},
    {"path": "long", "atMost": "P400D"},
    {"path": "long", "lessThan": "forever"},
    {"path": "day", "moreThan": "2026-12-31"},
    {"path": "day", "atLeast": "today+P50D"},
    {"path": "day", "atLeast": "today"},
    {
        "path": "slaProperties[property=latency].value",
        "unit": "slaProperties[property=latency].unit",
        "atMost": "PT5M",
    },
    {"path": "status", "sameAs": "/status"},
    {"path": "$subject", "equals": "ops.flights.v1"},
    {"all": [{"path": "status", "exists": True}, {"path": "count", "exists": True}]},
    {"any": [{"path": "absent", "exists": True}, {"path": "count", "exists": True}]},
    {"not": {"path": "status", "equals": "draft"}},
    {"some": "team.members[]", "where": {"path": "role", "equals": "owner"}},
    {"some": "tags[]", "where": {"path": ".", "equals": "b"}},
    {"some": "tags[]"},
    {"every": "team.members[]", "where": {"path": "username", "exists": True}},
    {"every": "absent[]", "where": {"path": "x", "exists": True}},
    {"count": "team.members[]", "atLeast": 2},
    {"count": "team.members[]", "where": {"path": "role", "equals": "owner"}, "atMost": 1},
]

DO_NOT_HOLD: list[dict[str, Any]] = [
    {"path": "absent", "equals": 1},
    {"path": "absent", "atLeast": 1},
    {"path": "status", "exists": False},
    {"path": "status", "equals": "Active"},
    {"path": "count", "equals": True},
    {"path": "name", "words": ["number phone"]},
    {"path": "name", "words": ["hom"]},
    {"path": "count", "atLeast": 1, "moreThan": 3},
    {"path": "day", "atMost": "today+P49D"},
    {"some": "team.members[]", "where": {"path": "role", "equals": "boss"}},
    {"some": "absent[]"},
    {"every": "team.members[]", "where": {"path": "role", "equals": "owner"}},
    {"count": "tags[]", "moreThan": 2},
    {"not": {"some": "tags[]"}},
]

CANNOT_BE_TOLD: list[dict[str, Any]] = [
    {"path": "status", "atLeast": 1},
    {"path": "count", "matches": "3"},
    {"path": "count", "atMost": "P1D"},
    {"path": "status", "moreThan": "2026-01-01"},
    {"path": "slaProperties[property=availability].value", "unit": "status", "atMost": "P1D"},
    {"not": {"path": "status", "atLeast": 1}},
    {"all": [{"path": "status", "exists": True}, {"path": "status", "atLeast": 1}]},
    {"some": "team.members[]", "where": {"path": "role", "atLeast": 1}},
    {"count": "team.members[]", "where": {"path": "role", "atLeast": 1}, "atLeast": 0},
]


@pytest.mark.parametrize("condition", HOLD, ids=str)
def test_a_condition_that_holds_passes(condition: dict[str, Any]) -> None:
    assert verdict(DOCUMENT, require=condition) == "passed"


@pytest.mark.parametrize("condition", DO_NOT_HOLD, ids=str)
def test_a_condition_that_does_not_hold_fails(condition: dict[str, Any]) -> None:
    assert verdict(DOCUMENT, require=condition) == "failed"


@pytest.mark.parametrize("condition", CANNOT_BE_TOLD, ids=str)
def test_what_cannot_be_told_is_unknown_and_never_passed(condition: dict[str, Any]) -> None:
    outcome = asked(DOCUMENT, require=condition)
    assert outcome.verdict == "unknown"
    assert outcome.reason
    (finding,) = findings_of(outcome, TODAY)
    assert (finding.code, finding.severity) == ("MESH-C161", "error")


def test_one_condition_that_fails_outweighs_one_that_cannot_be_told() -> None:
    both = {"all": [{"path": "status", "atLeast": 1}, {"path": "absent", "exists": True}]}
    assert verdict(DOCUMENT, require=both) == "failed"


def test_one_condition_that_holds_outweighs_one_that_cannot_be_told() -> None:
    either = {"any": [{"path": "status", "atLeast": 1}, {"path": "status", "exists": True}]}
    assert verdict(DOCUMENT, require=either) == "passed"


def test_without_its_when_a_policy_passes() -> None:
    assert verdict(DOCUMENT, when={"path": "status", "equals": "draft"}) == "passed"


def test_a_when_that_cannot_be_told_makes_the_policy_unknown() -> None:
    assert verdict(DOCUMENT, when={"path": "status", "atLeast": 1}) == "unknown"


def place(text: str, **more: Any) -> list[Location | Any]:
    return [finding.where for finding in findings_of(asked(text, **more), TODAY)]


def test_a_violation_stands_at_the_value_that_offends() -> None:
    assert place(DOCUMENT, require={"path": "team.members", "length": {"atLeast": 3}}) == [
        Location("contracts/sample.odcs.yaml", 10, 3)
    ]


def test_a_missing_value_stands_at_its_nearest_parent() -> None:
    assert place(DOCUMENT, require={"path": "team.lead.name", "exists": True}) == [
        Location("contracts/sample.odcs.yaml", 9, 1)
    ]


def test_each_offending_node_is_a_violation_of_its_own_with_its_own_words() -> None:
    outcome = asked(
        DOCUMENT,
        forEach="slaProperties[]",
        require={"path": "driver", "exists": True},
        message="{property} lacks it",
    )
    assert [finding.message for finding in findings_of(outcome, TODAY)] == [
        "latency lacks it (policy sample)",
        "availability lacks it (policy sample)",
    ]
    assert [
        finding.where.line for finding in findings_of(outcome, TODAY) if isinstance(finding.where, Location)
    ] == [
        14,
        15,
    ]


def test_every_blames_the_first_node_that_offends() -> None:
    everyone = {"every": "team.members[]", "where": {"path": "role", "equals": "owner"}}
    assert place(DOCUMENT, require=everyone) == [Location("contracts/sample.odcs.yaml", 12, 23)]


def test_some_blames_the_list() -> None:
    assert place(DOCUMENT, require={"some": "team.members[]", "where": {"path": "x", "exists": True}}) == [
        Location("contracts/sample.odcs.yaml", 10, 3)
    ]


def test_where_chooses_among_the_nodes() -> None:
    chosen = {"forEach": "team.members[]", "where": {"path": "role", "equals": "owner"}}
    assert verdict(DOCUMENT, **chosen, require={"path": "username", "equals": "ann"}) == "passed"


def test_properties_are_found_at_every_depth() -> None:
    text = """\
schema:
  - properties:
      - name: a
        properties: [{name: b}]
      - name: c
        items: {properties: [{name: d}]}
      - name: e
        map: {value: {properties: [{name: f}]}}
"""
    outcome = asked(text, forEach="$properties", require={"path": "x", "exists": True}, message="{name}")
    assert [violation.message for violation in outcome.violations] == ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("slaProperties: [{property: retention, value: 30, unit: d}]", "30 days"),
        ("schema: [{customProperties: [{property: retention, value: PT36H}]}]", "36 hours"),
        ("schema: [{customProperties: [{property: retention, value: forever}]}]", "for ever"),
        ("status: active", "not told"),
    ],
)
def test_retention_is_told_as_people_say_it(written: str, shown: str) -> None:
    outcome = asked(written, require={"path": "absent", "exists": True}, message="kept {$retention}")
    assert outcome.violations[0].message == f"kept {shown}"


def test_a_document_too_large_for_a_policy_is_unknown() -> None:
    text = "tags: [" + ", ".join("a" for _ in range(1_000)) + "]"
    squared = {"every": "/tags[]", "where": {"path": ".", "equals": "a"}}
    outcome = asked(text, forEach="tags[]", require=squared)
    assert outcome.verdict == "unknown"
    assert f"{limits.POLICY_STEPS:,} steps" in outcome.reason


def test_a_subject_with_endless_violations_is_told_the_first_of_them() -> None:
    text = "tags: [" + ", ".join(["a"] * 200) + "]"
    outcome = asked(text, forEach="tags[]", require={"path": ".", "equals": "b"})
    assert len(outcome.violations) == limits.POLICY_FINDINGS


def test_the_day_comes_in_as_an_argument() -> None:
    due = {"require": {"path": "day", "atLeast": "today+P30D"}}
    assert asked(DOCUMENT, today=date(2026, 12, 1), **due).verdict == "passed"
    assert asked(DOCUMENT, today=date(2027, 1, 1), **due).verdict == "failed"


def test_a_policy_out_of_its_scope_says_nothing() -> None:
    narrow = policy(scope={"domains": ["weather"]})
    assert list(evaluate([narrow], subject("domain: ops"), TODAY)) == []
    assert [o.verdict for o in evaluate([narrow], subject("domain: weather"), TODAY)] == ["failed"]


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        ({"domains": ["op*"]}, True),
        ({"tags": ["flights"]}, True),
        ({"tags": ["weather"]}, False),
        ({"statuses": ["active"]}, True),
        ({"statuses": ["draft"]}, False),
        ({"products": ["ops.*"]}, True),
        ({"products": ["ops.trains"]}, False),
        ({"types": ["sourceAligned"]}, True),
        ({"types": ["aggregate"]}, False),
        ({"domains": ["ops"], "tags": ["weather"]}, False),
    ],
    ids=str,
)
def test_every_key_of_a_scope_must_fit(scope: dict[str, list[str]], inside: bool) -> None:
    text = "domain: ops\nstatus: active\ntags: [flights]\n"
    seen = subject(text, products=("ops.flights",), types=("sourceAligned",))
    assert policy(scope=scope).scope.holds(seen) is inside
