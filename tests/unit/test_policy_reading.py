"""Policy files are read with suspicion: what is wrong is told with its place and what to write instead."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mesh.contract.yaml import Document
from mesh.errors import DeclarationError, Location
from mesh.policy.reading import KEYS, SUFFIX, read_policy
from mesh.policy.shelf import built_in, no_foreign
from tests.unit.policy_kit import policy, policy_data, policy_text, problems

SCHEMA = json.loads((files("mesh.policy") / "policy-v1.schema.json").read_text(encoding="utf-8"))

WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"sevrity": "error"}, "MESH-C163", "did you mean 'severity'"),
    ({"severity": "eror"}, "MESH-C164", "did you mean 'error'"),
    ({"severity": None}, "MESH-C163", "severity is missing"),
    ({"apiVersion": "v1"}, "MESH-C164", "apiVersion cannot be 'v1'"),
    ({"kind": "DataContract"}, "MESH-C164", "kind cannot be"),
    ({"name": "Not A Slug"}, "MESH-C164", "name is 'Not A Slug'"),
    ({"name": 7}, "MESH-C163", "name is not text"),
    ({"description": None}, "MESH-C163", "description is missing"),
    ({"appliesTo": "contracts"}, "MESH-C164", "did you mean 'contract'"),
    ({"appliesTo": ["contract", "topic"]}, "MESH-C164", "'topic'"),
    ({"appliesTo": []}, "MESH-C163", "appliesTo"),
    ({"scope": {"domain": ["a"]}}, "MESH-C163", "did you mean 'domains'"),
    ({"scope": {"domains": "a"}}, "MESH-C163", "domains is not a list of texts"),
    ({"enabled": "no"}, "MESH-C163", "enabled is not true or false"),
    ({"grace": "soon"}, "MESH-C163", "grace is not a day"),
    ({"grace": "2026-02-30"}, "MESH-C163", "grace is not a day"),
    ({"exemptions": [{"subject": "a", "reason": "b"}]}, "MESH-C163", "expires is missing"),
    ({"exemptions": [{"subject": "a", "expires": "2027-01-01"}]}, "MESH-C163", "reason is missing"),
    ({"exemptions": ["a"]}, "MESH-C163", "exemptions[0] is not a mapping"),
    ({"require": None}, "MESH-C163", "a policy has one rule"),
    ({"rego": "a.rego"}, "MESH-C163", "found require and rego"),
    ({"require": None, "rego": "a.rego", "message": None}, "MESH-C167", "cannot be used here"),
    ({"require": None, "python": "x"}, "MESH-C163", "message has no meaning here"),
    ({"message": None}, "MESH-C163", "message is missing"),
    ({"message": "{tags[]}"}, "MESH-C164", "many nodes"),
    ({"where": {"path": "x", "exists": True}}, "MESH-C163", "where without forEach"),
    ({"forEach": "team"}, "MESH-C164", "one node where many"),
    ({"require": "x"}, "MESH-C163", "this is no condition"),
    ({"require": {}}, "MESH-C163", "a condition says one thing"),
    ({"require": {"al": []}}, "MESH-C163", "did you mean 'all'"),
    ({"require": {"path": "x", "all": []}}, "MESH-C163", "found path and all"),
    ({"require": {"all": []}}, "MESH-C163", "all is not a list of conditions"),
    ({"require": {"path": "x"}}, "MESH-C163", "nothing is asked of the path"),
    ({"require": {"path": "x", "exist": True}}, "MESH-C163", "did you mean 'exists'"),
    ({"require": {"path": "x", "exists": "yes"}}, "MESH-C163", "exists is not true or false"),
    ({"require": {"path": "x..y", "exists": True}}, "MESH-C164", "is not a path"),
    ({"require": {"path": "$nothing", "exists": True}}, "MESH-C164", "is not a path"),
    ({"require": {"path": "tags[]", "exists": True}}, "MESH-C164", "many nodes where one"),
    ({"require": {"path": "x", "matches": "(?=a)"}}, "MESH-C165", "cannot be used"),
    ({"require": {"path": "x", "matches": "a" * 1_001}}, "MESH-C165", "cannot be used"),
    ({"require": {"path": "x", "atMost": "long"}}, "MESH-C164", "atMost cannot be 'long'"),
    ({"require": {"path": "x", "in": "personal"}}, "MESH-C164", "cannot be compared"),
    ({"require": {"path": "x", "equals": [1]}}, "MESH-C164", "cannot be compared"),
    ({"require": {"path": "x", "is": "float"}}, "MESH-C164", "is cannot be 'float'"),
    ({"require": {"path": "x", "length": 3}}, "MESH-C163", "length is no mapping"),
    ({"require": {"every": "tags[]"}}, "MESH-C163", "every without where"),
    ({"require": {"count": "tags[]"}}, "MESH-C163", "nothing is asked of the count"),
    ({"require": {"count": "tags[]", "atLeast": "P1D"}}, "MESH-C164", "atLeast cannot be"),
    ({"tests": [{"name": "a", "given": {}, "expect": "works"}]}, "MESH-C164", "expect cannot be"),
    ({"tests": [{"name": "a", "expect": "fails"}]}, "MESH-C163", "given is missing"),
    ({"lists": {"a": [1]}}, "MESH-C163", "a is not a list of texts"),
]


@pytest.mark.parametrize(("more", "code", "words"), WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_wrong_is_told_with_what_to_write(more: dict[str, Any], code: str, words: str) -> None:
    found = [f for f in problems(policy_text(**more)) if words in f.message]
    assert [f.code for f in found] == [code]
    assert found[0].why
    assert found[0].fix
    assert isinstance(found[0].where, Location)


def test_a_policy_without_flaws_has_no_problems() -> None:
    assert problems(policy_text()) == ()


def test_a_problem_stands_in_its_line() -> None:
    text = policy_text(require={"any": [{"path": "x", "exists": True}, {"path": "y", "exsts": True}]})
    (unknown, nothing) = problems(text)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if "exsts" in line)
    assert isinstance(unknown.where, Location)
    assert isinstance(nothing.where, Location)
    assert unknown.where.line == line


def test_a_file_that_holds_no_mapping_is_told() -> None:
    assert [f.message for f in problems("- a\n")] == ["the file holds no policy"]


def test_a_file_with_an_alias_is_refused_before_it_is_read() -> None:
    with pytest.raises(DeclarationError) as refused:
        read_policy(b"a: &x 1\nb: *x\n", "p.policy.yaml", no_foreign)
    assert refused.value.error_code == "MESH-C014"


def test_an_entry_of_lists_can_be_named_where_values_belong() -> None:
    made = policy(lists={"good": ["a", "b"]}, require={"path": "x", "in": "good"})
    assert made.enabled


@pytest.mark.parametrize("document", [document for document, _ in built_in()], ids=lambda d: d.file)
def test_the_schema_for_editors_accepts_every_policy_that_mesh_brings(document: Document) -> None:
    assert document.file.endswith(SUFFIX)
    assert list(Draft202012Validator(SCHEMA).iter_errors(document.data)) == []


#: What a schema cannot say: real days, and keys that only a file of its own needs.
BEYOND = ("2026-02-30", "severity is missing", "description is missing", "message is missing", "one rule")


@pytest.mark.parametrize(("more", "words"), [(m, w) for m, c, w in WRONG if c == "MESH-C163"], ids=str)
def test_the_schema_for_editors_refuses_what_has_the_wrong_form(more: dict[str, Any], words: str) -> None:
    if not any(exception in f"{more} {words}" for exception in BEYOND):
        assert list(Draft202012Validator(SCHEMA).iter_errors(policy_data(**more)))


def test_the_schema_for_editors_knows_the_same_keys() -> None:
    assert set(SCHEMA["properties"]) == set(KEYS)
