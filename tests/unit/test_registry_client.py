"""The registry's client asks in few requests, and goes on where a registry serves less."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from mesh.adapters.http import Budget
from mesh.adapters.registry_http import HttpRegistry
from mesh.adapters.registry_listing import PAGE
from mesh.errors import UnreachableError
from mesh.schema import parse_schema

SCHEMA = parse_schema('"string"')


@dataclass
class Wire:
    """HTTP of a registry that serves what is told; counts what it is asked."""

    subjects: dict[str, int]  #: versions by subject
    levels: dict[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()  #: paths that this registry does not serve
    pages: bool = True
    compatibility: tuple[int, Any] = (200, {"is_compatible": True})
    asked: list[str] = field(default_factory=list)
    rule_set: dict[str, Any] | None = None
    sent: list[Any] = field(default_factory=list)

    def unreachable(self, why: str) -> UnreachableError:
        return UnreachableError(why)

    def request(
        self, method: str, path: str, body: object | None = None, *, budget: Budget | None = None
    ) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        if path.startswith(self.absent or ("nothing",)):
            return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}
        head, *rest = path.strip("/").split("?")[0].split("/")
        match head, rest:
            case "schemas", []:
                rows = [self._row(s, v) for s, n in sorted(self.subjects.items()) for v in range(1, n + 1)]
                offset = int(path.partition("offset=")[2].partition("&")[0])
                return 200, rows[offset : offset + PAGE] if self.pages else rows
            case "mesh", ["levels"]:
                return 200, self.levels
            case "config", [subject]:
                level = self.levels.get(subject)
                return (200, {"compatibilityLevel": level}) if level else (404, {})
            case "subjects", []:
                return 200, sorted(self.subjects)
            case "subjects", [_, "versions"] if method == "POST":
                self.sent.append(body)
                return 200, {"id": 1}
            case "subjects", [subject, "versions"]:
                count = self.subjects.get(subject, 0)
                return (200, list(range(1, count + 1))) if count else (404, {})
            case "subjects", [subject, "versions", number]:
                return 200, self._row(subject, int(number))
            case "compatibility", _:
                return self.compatibility
        raise AssertionError(f"{method} {path} {json.dumps(body)}")

    def _row(self, subject: str, version: int) -> dict[str, Any]:
        row: dict[str, Any] = {"subject": subject, "version": version, "id": version, "schema": '"string"'}
        return row if self.rule_set is None else {**row, "ruleSet": self.rule_set}


def facts(wire: Wire, *names: str, prefixes: tuple[str, ...] = ()) -> dict[str, tuple[str | None, int]]:
    found = HttpRegistry(wire).subjects(names, prefixes)
    return {name: (subject.level, len(subject.versions)) for name, subject in found.items()}


def test_a_thousand_subjects_are_asked_for_in_few_requests() -> None:
    wire = Wire({f"s{n}": 1 for n in range(1_000)}, {"s1": "FULL"})
    found = facts(wire, *wire.subjects)
    assert (len(found), found["s1"], found["s2"]) == (1_000, ("FULL", 1), (None, 1))
    assert len(wire.asked) <= 4


def test_subjects_of_others_are_left_out_and_those_of_a_prefix_taken_in() -> None:
    wire = Wire({"ops.a": 2, "ops.b": 1, "fleet.a": 1})
    assert facts(wire, "ops.a", "ops.c") == {"ops.a": (None, 2)}
    assert facts(wire, prefixes=("ops.",)) == {"ops.a": (None, 2), "ops.b": (None, 1)}


def test_a_subject_that_has_only_a_level_is_there() -> None:
    assert facts(Wire({}, {"a": "NONE"}), "a", "b") == {"a": ("NONE", 0)}


@pytest.mark.parametrize("absent", [("/mesh/",), ("/schemas",), ("/mesh/", "/schemas")])
def test_a_registry_that_lists_less_is_asked_subject_by_subject(absent: tuple[str, ...]) -> None:
    wire = Wire({"ops.a": 2, "ops.b": 1, "fleet.a": 1}, {"ops.b": "FULL"}, absent)
    assert facts(wire, "ops.a", prefixes=("ops.",)) == {"ops.a": (None, 2), "ops.b": ("FULL", 1)}


def test_a_registry_that_knows_no_pages_is_listed_once() -> None:
    wire = Wire({f"s{n}": 1 for n in range(PAGE)}, pages=False)
    assert len(facts(wire, *wire.subjects)) == PAGE


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((200, {"is_compatible": True}), None),
        ((200, {"is_compatible": False, "messages": ["first", "second"]}), "first; second"),
        ((200, {"is_compatible": False, "reason": "b is new"}), "b is new"),
        ((200, {"is_compatible": False}), "it answers that it is incompatible"),
        ((422, {"message": "Invalid schema"}), "Invalid schema"),
        ((404, {}), None),
    ],
)
def test_what_a_registry_says_of_the_next_schema(answer: tuple[int, Any], why: str | None) -> None:
    registry = HttpRegistry(Wire({}, compatibility=answer))
    assert registry.refusal("a", SCHEMA) == why


RULES = {"domainRules": [{"name": "short"}]}


def rule_sets(wire: Wire) -> list[Any]:
    found = HttpRegistry(wire).subjects(["a"], ())  # type: ignore[arg-type]
    return [version.rule_set for version in found["a"].versions]


@pytest.mark.parametrize("absent", [(), ("/mesh/",), ("/schemas",)])
def test_a_rule_set_is_read_from_every_registry_that_shows_it(absent: tuple[str, ...]) -> None:
    assert rule_sets(Wire({"a": 1}, absent=absent, rule_set=RULES)) == [RULES]


def test_the_meshs_own_registry_keeps_rule_sets_so_that_none_is_none() -> None:
    assert rule_sets(Wire({"a": 1})) == [{}]


@pytest.mark.parametrize("absent", [("/mesh/",), ("/mesh/", "/schemas")])
def test_another_registry_that_shows_no_rule_set_may_keep_none(absent: tuple[str, ...]) -> None:
    assert rule_sets(Wire({"a": 1}, absent=absent)) == [None]


def test_a_rule_set_goes_with_the_schema_and_an_empty_one_is_said() -> None:
    wire = Wire({})
    registry = HttpRegistry(wire)  # type: ignore[arg-type]
    for rules in (None, RULES, {}):
        registry.register("a", SCHEMA, rules)
    assert [body.get("ruleSet") for body in wire.sent] == [None, RULES, {"domainRules": []}]
