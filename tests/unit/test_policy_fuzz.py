"""Bad input: a malformed policy is findings, a strange document a verdict; neither is an exception."""

from __future__ import annotations

import copy
import json
import random
import time
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mesh.contract.yaml import Document
from mesh.errors import DeclarationError, Location
from mesh.policy import Subject, built_in, findings_of, judge
from mesh.policy.reading import KEYS, policy_of, read_policy
from mesh.policy.shelf import no_foreign
from tests.unit.policy_kit import FILE, TODAY

POLICIES = [document.data for document, _ in built_in()]
MADE = [policy for _, policy in built_in()]
SCHEMA = Draft202012Validator(
    json.loads((files("mesh.policy") / "policy-v1.schema.json").read_text(encoding="utf-8"))
)
STRANGE: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**38,
    "",
    "x",
    "a.b[]",
    "$properties",
    "$nothing",
    "/",
    ".",
    "[=]",
    "a[b=c].d",
    "(",
    "{",
    "P400D",
    "forever",
    "today+P99999D",
    "2026-02-30",
    [],
    [[]],
    {},
    {"path": "x", "exists": True},
    {"all": [{"not": {"some": "a[]"}}]},
    {"": ""},
]
RUNS = settings(max_examples=100, deadline=None)


def mutated(data: Any, chance: random.Random) -> Any:
    """The data with one to four parts replaced, removed, renamed or added."""
    data = copy.deepcopy(data)
    for _ in range(chance.randint(1, 4)):
        holder = data
        while isinstance(holder, dict | list) and holder:
            key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            inside = holder[key]
            if isinstance(inside, dict | list) and inside and chance.random() < 0.7:
                holder = inside
                continue
            what = chance.random()
            if what < 0.6:
                holder[key] = copy.deepcopy(chance.choice(STRANGE))
            elif what < 0.8:
                del holder[key]
            elif isinstance(holder, dict):
                holder[chance.choice([*KEYS, "all", "any", "path", "where", "count", "zz"])] = inside
            break
    return data


def accepted(data: Any) -> bool:
    refused = refusal(data)
    for finding in refused.findings if refused else ():
        assert finding.code.startswith(("MESH-C16", "MESH-C17"))
        assert finding.message
        assert finding.why
        assert finding.fix
        assert isinstance(finding.where, Location)
    return refused is None


def refusal(data: Any) -> DeclarationError | None:
    try:
        policy_of(Document(FILE, "", data, {}), no_foreign, {})
    except DeclarationError as error:
        return error
    return None


@RUNS
@given(st.integers(0, 2**32), st.sampled_from(POLICIES))
def test_a_malformed_policy_is_told_and_the_schema_for_editors_accepts_what_is_read(
    seed: int, data: dict[str, Any]
) -> None:
    changed = mutated(data, random.Random(seed))
    if accepted(changed):
        # What is null counts as left out; a schema knows no such thing.
        assert list(SCHEMA.iter_errors(without_nulls(changed))) == []


def without_nulls(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: without_nulls(value) for key, value in data.items() if value is not None}
    return [without_nulls(item) for item in data] if isinstance(data, list) else data


@RUNS
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_a_file_of_anything_is_told(raw: bytes) -> None:
    with pytest.raises(DeclarationError) as refused:
        read_policy(raw, FILE, no_foreign)
    assert refused.value.error_code.startswith("MESH-C")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["name", "schema", "properties", "team", "members", "slaProperties", "property", "value"]
            )
            | st.sampled_from(
                ["tags", "classification", "status", "old", "new", "changes", "version", "items"]
            ),
            inside,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@RUNS
@given(st.dictionaries(st.text(max_size=10), anything, max_size=6), anything, anything)
def test_a_strange_document_has_a_verdict(data: dict[str, Any], schema: Any, levels: Any) -> None:
    whole = {**data, "schema": schema, "slaProperties": levels, "status": "active"}
    for policy in MADE:
        for document in (whole, {"old": whole, "new": data, "changes": schema}):
            kind = policy.applies_to[0]
            seen = Subject(kind=kind, name="a.b.v1", data=document, locate=lambda *_path: Location("f"))
            outcome = judge(policy, seen, TODAY)
            assert outcome.verdict in ("passed", "failed", "unknown")
            assert len(list(findings_of(outcome, TODAY))) >= (outcome.verdict != "passed")


@RUNS
@given(st.integers(0, 2**32), st.sampled_from(POLICIES))
def test_a_mutated_policy_that_is_read_can_be_asked(seed: int, data: dict[str, Any]) -> None:
    changed = mutated(data, random.Random(seed))
    try:
        policy = policy_of(Document(FILE, "", changed, {}), no_foreign, {})
    except DeclarationError:
        return
    for example in policy.cases[:3]:
        seen = Subject(
            kind=policy.applies_to[0], name="a", data=example.given, locate=lambda *_path: Location("f")
        )
        assert judge(policy, seen, TODAY).verdict in ("passed", "failed", "unknown", "exempt")


def test_a_pattern_and_a_document_made_to_be_slow_are_not() -> None:
    slow = {**POLICIES[0], "appliesTo": "contract", "scope": {}, "forEach": "tags[]"}
    slow["when"] = {"path": "absent", "exists": False}
    slow["require"] = {"path": ".", "matches": "^(a|a)*(a|a)*(a+)+$"}
    slow["message"] = "no"
    policy = policy_of(Document(FILE, "", slow, {}), no_foreign, {})
    tags = ["a" * 10_000 + "b"] * 1_000
    seen = Subject(kind="contract", name="a", data={"tags": tags}, locate=lambda *_path: Location("f"))
    began = time.perf_counter()
    assert judge(policy, seen, TODAY).verdict == "unknown"
    assert time.perf_counter() - began < 5
