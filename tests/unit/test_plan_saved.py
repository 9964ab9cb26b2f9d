"""Saved plans: the same plan comes back, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesh import limits
from mesh.adapters.plan_files import load, save
from mesh.apply import apply
from mesh.errors import PlanError, UsageError
from mesh.plan import Plan
from mesh.plan.access import Grant
from mesh.plan.changes import AddPartitions, AlterTopic, Blocked, GrantAccess, TakeOver
from mesh.plan.removals import DeleteSubject, DeleteTopic, RemoveContract, RemoveProduct, Undeclared
from mesh.plan.saved import _digest, document_of, plan_of
from tests.unit.plan_kit import desired, plan
from tests.unit.twins import WorldTwin

DEEP = "[" * 100_000
EVERY_OTHER_STEP = Plan(
    (
        AlterTopic("a.b.v1", {"retention.ms": "1"}, {"retention.ms": "2"}, ("loses",), ("hint",)),
        AddPartitions("a.b.v1", 1, 2),
        TakeOver("a.b.v1", "3 events"),
        GrantAccess("a.", Grant("User:a", "read", "topic", "a.", "prefixed")),
        Blocked("a.b.v1", "what", "why", "fix"),
        RemoveProduct("a.b"),
        RemoveContract("a.b.v1"),
        DeleteSubject("a.b.v1-value"),
        DeleteTopic("a.b.v1", 7),
    ),
    "base",
    kept=(Undeclared("topic", "a.c.v1", "with 1 event"),),
    notes=("a note",),
)


def text(made: Plan) -> str:
    return json.dumps(document_of(made))


def changed(change: Callable[[dict[str, Any]], object], made: Plan | None = None) -> str:
    """A document edited by somebody who also knows how it is sealed."""
    document = document_of(made or plan(desired(), WorldTwin()))
    change(document)
    document.pop("sha256")
    return json.dumps({**document, "sha256": _digest(document)})


def refusal(document: str) -> str:
    with pytest.raises(PlanError) as caught:
        plan_of(document)
    assert caught.value.fix
    return caught.value.error_code


def test_the_plan_of_a_new_product_comes_back_the_same() -> None:
    made = plan(desired(), WorldTwin())
    assert plan_of(text(made)) == made


def test_every_kind_of_step_comes_back_the_same() -> None:
    assert plan_of(text(EVERY_OTHER_STEP)) == EVERY_OTHER_STEP


def test_a_saved_plan_needs_no_declaration_to_be_carried_out() -> None:
    twin = WorldTwin()
    list(apply(plan_of(text(plan(desired(), twin))), twin.world))
    assert plan(desired(), twin).changes == ()


def test_a_saved_plan_names_the_declaration_it_was_made_from() -> None:
    made, other = plan(desired(), WorldTwin()), plan(desired(("P400D", "P1D")), WorldTwin())
    assert made.declaration == plan(desired(), WorldTwin()).declaration != other.declaration


def test_a_later_minor_version_is_taken() -> None:
    made = plan(desired(), WorldTwin())
    assert plan_of(changed(lambda d: d.update(format_version="2.7", news="of tomorrow"))) == made


@pytest.mark.parametrize("version", ["1.0", "3.0", "20.0", "", 2, None])
def test_a_format_of_another_time_is_refused(version: object) -> None:
    assert refusal(changed(lambda d: d.update(format_version=version))) == "MESH-P021"


def test_a_plan_edited_by_hand_is_refused() -> None:
    assert (
        refusal(text(plan(desired(), WorldTwin())).replace("ops.flights.v1", "ops.lights.v1")) == "MESH-P022"
    )


def test_a_plan_without_its_seal_is_refused() -> None:
    document = document_of(EVERY_OTHER_STEP)
    del document["sha256"]
    assert refusal(json.dumps(document)) == "MESH-P022"


@pytest.mark.parametrize("document", ["", "{", "[]", '"plan"', '{"a": 1, "a": 2}', DEEP, "NaN"], ids=range(7))
def test_what_is_no_document_is_refused(document: str) -> None:
    assert refusal(document) == "MESH-P020"


def test_a_plan_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PLAN_BYTES", 100)
    assert refusal(text(EVERY_OTHER_STEP)) == "MESH-P020"


def _argument(step: int, name: str, value: object) -> Callable[[dict[str, Any]], object]:
    def change(document: dict[str, Any]) -> None:
        document["steps"][step]["arguments"][name] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("steps"),
        lambda d: d.update(steps=1),
        lambda d: d.update(base=None),
        lambda d: d.update(notes="text"),
        lambda d: d["scope"].update(galaxies=[]),
        lambda d: d["scope"].update(topics=[1]),
        lambda d: d["steps"][0].update(verb="format disk"),
        lambda d: d["steps"][0].update(subject=3),
        lambda d: d["steps"][0].update(arguments=[]),
        lambda d: d["steps"][0]["arguments"].pop("after"),
        _argument(0, "surprise", 1),
        _argument(0, "after", {"retention.ms": 1}),
        _argument(0, "losses", "text"),
        _argument(1, "after", "2"),
        _argument(1, "after", True),
        _argument(1, "after", -2),
        _argument(3, "grant", {"principal": "User:a"}),
        _argument(
            3,
            "grant",
            {
                "principal": "User:a",
                "operation": "all",
                "resource": "topic",
                "name": "a",
                "pattern": "literal",
            },
        ),
    ],
)
def test_a_shape_that_no_plan_has_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    assert refusal(changed(change, EVERY_OTHER_STEP)) == "MESH-P023"


def test_a_schema_that_is_none_is_refused() -> None:
    def change(document: dict[str, Any]) -> None:
        (step,) = [step for step in document["steps"] if step["verb"] == "register schema and rules"]
        step["arguments"]["schema"] = '{"type": "nothing"}'

    assert refusal(changed(change)) == "MESH-P023"


def test_a_rule_set_that_is_none_is_refused() -> None:
    def change(document: dict[str, Any]) -> None:
        (step,) = [step for step in document["steps"] if step["verb"] == "register schema and rules"]
        step["arguments"]["rule_set"] = ["domainRules"]

    assert refusal(changed(change)) == "MESH-P023"


def test_a_plan_is_saved_whole_and_read_again(tmp_path: Path) -> None:
    save(tmp_path / "plan.json", EVERY_OTHER_STEP)
    assert load(tmp_path / "plan.json") == EVERY_OTHER_STEP
    assert [file.name for file in tmp_path.iterdir()] == ["plan.json"]


def test_a_plan_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        save(tmp_path / "missing" / "plan.json", EVERY_OTHER_STEP)
    assert caught.value.error_code == "MESH-U126"


@pytest.mark.parametrize("raw", [None, b"\xff\xfe"])
def test_a_file_that_holds_no_text_is_no_plan(tmp_path: Path, raw: bytes | None) -> None:
    if raw is not None:
        (tmp_path / "plan.json").write_bytes(raw)
    with pytest.raises(PlanError) as caught:
        load(tmp_path / "plan.json")
    assert caught.value.error_code == "MESH-P020"
