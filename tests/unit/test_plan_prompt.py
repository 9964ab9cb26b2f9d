"""On a terminal, what may lose events is confirmed by typing the topic's name."""

from __future__ import annotations

import pytest
import typer

from mesh.cli.plans import _asked
from mesh.errors import PlanError
from mesh.plan import Consent, Plan
from mesh.plan.removals import DeleteTopic

MADE = Plan((DeleteTopic("ops.old.v1", 3), DeleteTopic("ops.older.v1", 1)), "base")


def answering(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    asked: list[str] = []

    def prompt(question: str, **_: object) -> str:
        asked.append(question)
        return answers[len(asked) - 1]

    monkeypatch.setattr(typer, "prompt", prompt)
    return asked


def test_every_topic_is_asked_for_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, "ops.old.v1", "ops.older.v1")
    consent = _asked(MADE, Consent())
    assert all(consent.covers(risk) for risk in MADE.risks)
    assert asked[0] == "Type ops.old.v1 to delete it with its events"


def test_what_was_confirmed_already_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, "ops.older.v1")
    _asked(MADE, Consent(names=["ops.old.v1"]))
    assert len(asked) == 1


@pytest.mark.parametrize("typed", ["", "yes", "ops.older.v1"])
def test_anything_else_than_the_name_ends_it(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    answering(monkeypatch, typed)
    with pytest.raises(PlanError) as caught:
        _asked(MADE, Consent())
    assert caught.value.error_code == "MESH-P025"
