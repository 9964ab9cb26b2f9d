"""References: schemas that use the types of others, and what they hold in place."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from mesh import limits
from mesh_platform.registry import state
from tests.unit.registry_kit import SUBJECT, code_of, delete, erase, record, register, using
from tests.unit.registry_twin import RegistryTwin, client_of

GATE = record("number", name="airport.Gate")
DEPARTURE = using("operations.Departure", "airport.Gate")


def to(subject: str = "gate", version: int = 1, name: str = "airport.Gate") -> dict[str, Any]:
    return {"name": name, "subject": subject, "version": version}


@pytest.fixture
def registry() -> RegistryTwin:
    twin = RegistryTwin()
    register(twin, GATE, subject="gate")
    return twin


@pytest.fixture
async def http(registry: RegistryTwin) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(registry) as client:
        yield client


def refer(registry: RegistryTwin, **more: Any) -> Any:
    return register(registry, DEPARTURE, **{"references": [to()], **more})


def test_a_schema_may_use_the_type_of_another(registry: RegistryTwin) -> None:
    made = refer(registry)
    assert made["references"] == [to()]
    assert json.loads(made["schema"])["fields"][0]["type"] == ["null", "airport.Gate"]


def test_references_make_another_schema(registry: RegistryTwin) -> None:
    register(registry, record("number", "letter", name="airport.Gate"), subject="gate")
    first, second = refer(registry), refer(registry, references=[to(version=2)])
    assert second["id"] == first["id"] + 1
    assert second["guid"] != first["guid"]


def test_the_latest_version_is_written_down_by_its_number(registry: RegistryTwin) -> None:
    register(registry, record("number", "letter", name="airport.Gate"), subject="gate")
    made = refer(registry, references=[to(version=-1)])
    assert made["references"] == [to(version=2)]
    assert refer(registry, references=[to(version=2)]) == made


def test_references_of_references_are_followed(registry: RegistryTwin) -> None:
    refer(registry, subject="departure")
    text = using("Board", "operations.Departure")
    made = register(registry, text, subject="board", references=[to("departure", 1, "operations.Departure")])
    assert made["version"] == 1


def test_many_ways_to_one_schema_cost_no_more_than_one(registry: RegistryTwin) -> None:
    for level in range(40):
        below = "gate" if level == 0 else f"level{level - 1}"
        references = [to(below, 1, "left"), to(below, 1, "right")]
        made = register(registry, record(name=f"L{level}"), subject=f"level{level}", references=references)
        assert made["version"] == 1


def test_a_chain_of_references_ends(registry: RegistryTwin) -> None:
    outcomes = []
    for level in range(limits.SCHEMA_DEPTH + 2):
        below = "gate" if level == 0 else f"level{level - 1}"
        made = register(registry, record(name=f"L{level}"), subject=f"level{level}", references=[to(below)])
        outcomes.append(made)
    assert isinstance(outcomes[0], dict)
    assert code_of(outcomes[-1]) == 42201


@pytest.mark.parametrize(
    "references",
    [
        [],
        [to("nobody")],
        [to(version=9)],
        [to(name="other"), to(name="other")],
        [{"name": "airport.Gate", "subject": "gate"}],
        [{**to(), "version": "1"}],
        [{**to(), "version": 0}],
        [{**to(), "name": ""}],
        [{**to(), "subject": "a\tb"}],
        ["airport.Gate"],
        {"airport.Gate": 1},
        [to(name=f"n{number}") for number in range(limits.SCHEMA_REFERENCES + 1)],
    ],
)
def test_a_reference_that_leads_nowhere_is_an_invalid_schema(registry: RegistryTwin, references: Any) -> None:
    assert code_of(refer(registry, references=references)) == 42201


def test_a_new_schema_may_not_refer_to_a_deleted_one(registry: RegistryTwin) -> None:
    delete(registry, "gate")
    assert code_of(refer(registry)) == 42201


def test_an_imported_schema_may_refer_to_a_deleted_one(registry: RegistryTwin) -> None:
    delete(registry, "gate")
    registry.send(state.SET_MODE, {"subject": SUBJECT, "mode": "IMPORT"})
    assert refer(registry, id=9)["id"] == 9


def test_what_changes_in_a_referenced_type_changes_its_referrer(
    registry: RegistryTwin,
) -> None:
    required = {"type": "record", "name": "airport.Gate", "fields": [{"name": "pier", "type": "string"}]}
    registry.send(state.SET_CONFIG, {"subject": "gate", "compatibility": "NONE"})
    register(registry, json.dumps(required), subject="gate")
    refer(registry)
    assert code_of(refer(registry, references=[to(version=2)])) == 409


class TestWhatIsReferredTo:
    @pytest.fixture(autouse=True)
    def referrer(self, registry: RegistryTwin) -> None:
        refer(registry)

    @pytest.mark.parametrize("version", [None, "1", "latest"])
    def test_it_is_not_deleted_softly_while_a_live_schema_refers_to_it(
        self, registry: RegistryTwin, version: str | None
    ) -> None:
        refusal = delete(registry, "gate", version)
        assert code_of(refusal) == 42206
        assert "One or more references exist to the schema" in refusal.message
        assert "subject=gate,version=1" in refusal.message

    def test_it_is_deleted_softly_when_its_referrer_was(self, registry: RegistryTwin) -> None:
        delete(registry, SUBJECT)
        assert delete(registry, "gate") == [1]

    @pytest.mark.parametrize("version", [None, "1"])
    def test_it_is_not_deleted_for_good_while_any_schema_refers_to_it(
        self, registry: RegistryTwin, version: str | None
    ) -> None:
        delete(registry, SUBJECT)
        delete(registry, "gate")
        assert code_of(delete(registry, "gate", version, permanent=True)) == 42206

    def test_it_is_deleted_for_good_after_its_referrer(self, registry: RegistryTwin) -> None:
        erase(registry, SUBJECT)
        delete(registry, "gate")
        assert delete(registry, "gate", permanent=True) == [1]

    def test_other_versions_of_it_are_free(self, registry: RegistryTwin) -> None:
        register(registry, record("number", "letter", name="airport.Gate"), subject="gate")
        assert delete(registry, "gate", "2") == 2

    async def test_its_referrers_are_listed_by_id(
        self, http: httpx2.AsyncClient, registry: RegistryTwin
    ) -> None:
        register(registry, DEPARTURE, subject="other", references=[to()])
        path = "/subjects/gate/versions/1/referencedby"
        assert (await http.get(path)).json() == [2]
        assert (await http.get("/subjects/gate/versions/latest/referencedby?offset=1")).json() == []

    async def test_a_deleted_referrer_is_listed_only_when_asked_for(
        self, http: httpx2.AsyncClient, registry: RegistryTwin
    ) -> None:
        delete(registry, SUBJECT)
        path = "/subjects/gate/versions/1/referencedby"
        assert (await http.get(path)).json() == []
        assert (await http.get(f"{path}?deleted=true")).json() == [2]

    async def test_its_referrers_answer_with_their_references(self, http: httpx2.AsyncClient) -> None:
        for path in ("/schemas/ids/2", f"/subjects/{SUBJECT}/versions/1"):
            assert (await http.get(path)).json()["references"] == [to()]


def test_versions_of_one_subject_that_refer_to_each_other_go_together(registry: RegistryTwin) -> None:
    registry.send(state.SET_CONFIG, {"subject": "gate", "compatibility": "NONE"})
    register(registry, using("Pair", "airport.Gate"), subject="gate", references=[to()])
    assert code_of(delete(registry, "gate", "1")) == 42206
    assert delete(registry, "gate") == [1, 2]
    assert delete(registry, "gate", permanent=True) == [1, 2]


def test_a_referrer_that_comes_back_as_the_next_version_still_refers(registry: RegistryTwin) -> None:
    refer(registry)
    delete(registry, SUBJECT)
    assert refer(registry)["version"] == 2
    assert code_of(delete(registry, "gate")) == 42206


def test_a_reference_means_a_subject_of_the_same_context(registry: RegistryTwin) -> None:
    assert code_of(refer(registry, subject=":.eu:departure")) == 42201
    register(registry, GATE, subject=":.eu:gate")
    assert refer(registry, subject=":.eu:departure")["references"] == [to()]
    assert code_of(delete(registry, ":.eu:gate")) == 42206
    assert delete(registry, "gate") == [1]


def test_a_reference_may_leave_its_context(registry: RegistryTwin) -> None:
    made = refer(registry, subject=":.eu:departure", references=[to(":.:gate")])
    assert made["references"] == [to(":.:gate")]
    assert code_of(delete(registry, "gate")) == 42206
