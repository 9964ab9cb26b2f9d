"""Tags inside schemas, and the other shapes in which a schema is served."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from mesh_platform.registry import state
from tests.unit.registry_kit import record, register, using
from tests.unit.registry_twin import RegistryTwin, client_of

TAGS = "/subjects/s/versions/latest/tags"


@pytest.fixture
def registry() -> RegistryTwin:
    twin = RegistryTwin()
    register(twin, record("gate", name="ops.Departure"), subject="s")
    return twin


@pytest.fixture
async def http(registry: RegistryTwin) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(registry) as client:
        yield client


async def post(http: httpx2.AsyncClient, path: str, body: Any) -> Any:
    return (await http.post(path, json=body)).json()


def tags(path: str, *names: str) -> list[dict[str, Any]]:
    return [{"schemaEntity": {"entityPath": path, "entityType": "sr_field"}, "tags": list(names)}]


@pytest.mark.parametrize("path", ["ops.Departure.gate", ".ops.Departure.gate"])
async def test_a_field_is_tagged_in_a_new_version(http: httpx2.AsyncClient, path: str) -> None:
    made = await post(http, TAGS, {"tagsToAdd": tags(path, "PII", "PII", "OPS")})
    assert made["version"] == 2
    assert made["metadata"]["properties"] == {"confluent:version": "2"}
    assert json.loads(made["schema"])["fields"][0]["confluent:tags"] == ["PII", "OPS"]


async def test_a_record_inside_a_record_is_tagged_by_its_full_name(
    http: httpx2.AsyncClient, registry: RegistryTwin
) -> None:
    inner = {"type": "record", "name": "Gate", "fields": [{"name": "pier", "type": "string"}]}
    outer = {
        "type": "record",
        "name": "ops.Outer",
        "fields": [{"name": "gates", "type": {"type": "array", "items": inner}}],
    }
    register(registry, json.dumps(outer), subject="t")
    body = {"tagsToAdd": tags("ops.Gate", "A") + tags("ops.Gate.pier", "B")}
    made = await post(http, "/subjects/t/versions/1/tags", body)
    found = json.loads(made["schema"])["fields"][0]["type"]["items"]
    assert (found["confluent:tags"], found["fields"][0]["confluent:tags"]) == (["A"], ["B"])


async def test_tags_are_taken_away_again(http: httpx2.AsyncClient) -> None:
    await post(http, TAGS, {"tagsToAdd": tags("ops.Departure", "A")})
    made = await post(http, TAGS, {"tagsToRemove": tags("ops.Departure", "A"), "newVersion": 3})
    assert "confluent:tags" not in made["schema"]


async def test_rules_are_merged_and_removed_with_the_tags(http: httpx2.AsyncClient) -> None:
    def rule(name: str, expr: str) -> dict[str, Any]:
        return {"name": name, "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": expr}

    first = await post(http, TAGS, {"rulesToMerge": {"domainRules": [rule("a", "1"), rule("b", "1")]}})
    body = {"rulesToMerge": {"domainRules": [rule("b", "2")]}, "rulesToRemove": ["a"]}
    second = await post(http, TAGS, body)
    assert [one["name"] for one in first["ruleSet"]["domainRules"]] == ["a", "b"]
    assert [(one["name"], one["expr"]) for one in second["ruleSet"]["domainRules"]] == [("b", "2")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"tagsToAdd": tags("ops.Nothing", "A")}, 42201),
        ({"tagsToAdd": [{"tags": ["A"]}]}, 42201),
        ({"tagsToAdd": "A"}, 42201),
        ({"tagsToAdd": tags("ops.Departure", "A"), "newVersion": 7}, 42201),
        ({"rulesToMerge": []}, 42210),
        ({"rulesToRemove": "a"}, 42210),
    ],
)
async def test_tags_that_cannot_be_are_refused(http: httpx2.AsyncClient, body: Any, code: int) -> None:
    assert (await post(http, TAGS, body))["error_code"] == code


async def test_the_tags_of_a_version_that_is_not_there_are_not_changed(http: httpx2.AsyncClient) -> None:
    assert (await post(http, "/subjects/s/versions/9/tags", {}))["error_code"] == 40402
    assert (await post(http, "/subjects/none/versions/1/tags", {}))["error_code"] == 40401


@pytest.mark.parametrize("path", ["/subjects/s/versions/2", "/schemas/ids/2"])
async def test_tags_are_found_by_name(http: httpx2.AsyncClient, path: str) -> None:
    body = {"tagsToAdd": tags("ops.Departure", "A") + tags("ops.Departure.gate", "B")}
    await post(http, TAGS, body)
    one = (await http.get(f"{path}?findTags=B")).json()["schemaTags"]
    assert one == [
        {"schemaEntity": {"entityPath": "ops.Departure.gate", "entityType": "sr_field"}, "tags": ["B"]}
    ]
    assert len((await http.get(f"{path}?findTags=*")).json()["schemaTags"]) == 2


@pytest.fixture
def using_gate(registry: RegistryTwin) -> None:
    register(registry, record("number", name="airport.Gate"), subject="gate")
    references = [{"name": "airport.Gate", "subject": "gate", "version": 1}]
    register(registry, using("ops.Board", "airport.Gate"), subject="board", references=references)


@pytest.mark.usefixtures("using_gate")
@pytest.mark.parametrize("path", ["/subjects/board/versions/1", "/schemas/ids/3"])
async def test_a_resolved_schema_needs_no_references(http: httpx2.AsyncClient, path: str) -> None:
    plain, resolved = (await http.get(path)).json(), (await http.get(f"{path}?format=resolved")).json()
    assert '"airport.Gate"' in plain["schema"]
    assert json.loads(resolved["schema"])["fields"][0]["type"][1]["fields"][0]["name"] == "number"
    assert (await http.get(f"{path}/schema?format=resolved")).text == resolved["schema"]


async def test_a_format_that_a_schema_does_not_have_is_not_heeded(http: httpx2.AsyncClient) -> None:
    for name in ("resolved", "serialized", "no-such-format"):
        answer = (await http.get(f"/schemas/ids/1?format={name}")).json()
        assert answer["schema"] == (await http.get("/schemas/ids/1")).json()["schema"]


async def test_a_version_says_when_it_was_registered(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/subjects/s/versions/1")).json()["ts"] == 1_767_225_600_000


async def test_a_schema_that_is_safe_to_decode_with_has_no_hazards(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/mesh/schemas/ids/1/hazards")).json() == []


async def test_an_imported_schema_says_why_it_is_not_safe(
    http: httpx2.AsyncClient, registry: RegistryTwin
) -> None:
    registry.send(state.SET_MODE, {"subject": "old", "mode": "IMPORT"})
    register(registry, '{"type":"array","items":"null"}', subject="old", id=50)
    found = (await http.get("/mesh/schemas/ids/50/hazards")).json()
    assert [one["code"] for one in found] == ["MESH-A011"]


async def test_versions_are_listed_by_the_type_of_their_rules(
    http: httpx2.AsyncClient, registry: RegistryTwin
) -> None:
    rule = {"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "true"}
    register(registry, record("a", name="T"), subject="t", ruleSet={"domainRules": [rule]})
    listed = (await http.get("/schemas?ruleType=CEL")).json()
    assert [entry["subject"] for entry in listed] == ["t"]


async def test_the_registry_says_what_it_is(http: httpx2.AsyncClient) -> None:
    assert "schema-registry-cluster" in (await http.get("/v1/metadata/id")).json()["scope"]["clusters"]
    assert (await http.get("/v1/metadata/version")).json()["version"]


async def test_what_a_client_posts_beside_a_schema_is_not_kept(
    http: httpx2.AsyncClient, registry: RegistryTwin
) -> None:
    await post(http, "/subjects/x/versions", {"schema": '"int"', "extra": 1, "references": []})
    assert set(registry.records[-1].body) == {"schema", "references", "subject", "warrant"}


@pytest.mark.usefixtures("using_gate")
async def test_references_are_told_with_their_context_when_asked_for(http: httpx2.AsyncClient) -> None:
    for path in ("/subjects/board/versions/1", "/schemas/ids/3"):
        answer = (await http.get(f"{path}?referenceFormat=QUALIFIED")).json()
        assert [one["subject"] for one in answer["references"]] == [":.:gate"]


async def test_schemas_are_listed_with_the_aliases_of_their_subject(
    http: httpx2.AsyncClient, registry: RegistryTwin
) -> None:
    registry.send(state.SET_CONFIG, {"subject": "old-name", "alias": "s"})
    assert (await http.get("/schemas?aliases=true")).json()[0]["aliases"] == ["old-name"]
    assert "aliases" not in (await http.get("/schemas")).json()[0]
