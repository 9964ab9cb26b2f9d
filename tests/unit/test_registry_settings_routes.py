"""Settings, modes and questions of compatibility over HTTP, as clients send them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from mesh_platform.registry.routes import routes
from tests.unit.registry_kit import record
from tests.unit.registry_twin import RegistryTwin

TYPE = "application/vnd.schemaregistry.v1+json"
COMPATIBILITY = "/compatibility/subjects/s/versions"
BREAKING = {
    "schema": json.dumps(
        {"type": "record", "name": "operations.Departure", "fields": [{"name": "x", "type": "int"}]}
    )
}


@pytest.fixture
def registry() -> RegistryTwin:
    return RegistryTwin()


@pytest.fixture
async def http(registry: RegistryTwin) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(registry)))
    headers = {"content-type": TYPE}
    async with httpx2.AsyncClient(transport=transport, base_url="http://registry", headers=headers) as client:
        yield client


async def put(http: httpx2.AsyncClient, path: str, **body: Any) -> Any:
    return (await http.put(path, content=json.dumps(body))).json()


async def post(http: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> httpx2.Response:
    return await http.post(path, content=json.dumps(body))


async def register(http: httpx2.AsyncClient, *fields: str, subject: str = "s") -> Any:
    body = {"schema": record(*fields), "metadata": {"properties": {"owner": "ops"}}}
    return (await post(http, f"/subjects/{subject}/versions", body)).json()


# Settings and modes


async def test_put_answers_the_level_as_compatibility_and_get_as_compatibility_level(
    http: httpx2.AsyncClient,
) -> None:
    assert (await put(http, "/config/s", compatibility="full"))["compatibility"] == "FULL"
    assert (await http.get("/config/s")).json() == {"compatibilityLevel": "FULL"}


async def test_the_settings_in_force_have_every_field_that_is_set_somewhere(http: httpx2.AsyncClient) -> None:
    await put(http, "/config", normalize=True)
    await put(http, "/config/s", compatibilityGroup="major")
    asked = await http.get("/config/s?defaultToGlobal=True")
    assert asked.json() == {
        "compatibilityLevel": "BACKWARD",
        "normalize": True,
        "compatibilityGroup": "major",
    }


async def test_a_context_has_settings_by_either_path(http: httpx2.AsyncClient) -> None:
    await put(http, "/contexts/.eu/config", compatibility="NONE")
    assert (await http.get("/config/:.eu:")).json() == {"compatibilityLevel": "NONE"}
    assert (await http.get("/contexts/.eu/config/s?defaultToGlobal=true")).json() == {
        "compatibilityLevel": "NONE"
    }


async def test_put_mode_needs_a_mode(http: httpx2.AsyncClient) -> None:
    answer = await http.put("/mode", content="{}")
    assert (answer.status_code, answer.json()["error_code"]) == (422, 42204)


async def test_force_is_asked_for_in_the_query(http: httpx2.AsyncClient) -> None:
    await register(http, "a")
    assert (await put(http, "/mode/s", mode="IMPORT"))["error_code"] == 42205
    assert await put(http, "/mode/s?force=True", mode="IMPORT") == {"mode": "IMPORT"}


async def test_modes_are_deleted_recursively_when_the_query_says_so(http: httpx2.AsyncClient) -> None:
    await put(http, "/mode/:.eu:s", mode="READONLY")
    assert (await http.delete("/mode/:.eu:")).json()["error_code"] == 40401
    assert (await http.delete("/mode/:.eu:?recursive=true")).json() == {"mode": "READWRITE"}
    assert (await http.get("/mode/:.eu:s")).json()["error_code"] == 40409


async def test_what_is_no_setting_stays_out_of_the_log(
    http: httpx2.AsyncClient, registry: RegistryTwin
) -> None:
    await put(http, "/config/s", compatibility="FULL", colour="red", subject="other", warrant="mine")
    await put(http, "/mode/s", mode="READONLY", force=True, colour="red")
    kept = [{key: sent.body[key] for key in sent.body if key != "warrant"} for sent in registry.records]
    assert kept == [
        {"compatibility": "FULL", "subject": "s"},
        {"mode": "READONLY", "subject": "s", "force": False},
    ]
    assert "mine" not in [sent.body["warrant"] for sent in registry.records]


# Aliases


@pytest.mark.parametrize(
    "path",
    [
        "/subjects/old/versions",
        "/subjects/old/versions/1",
        "/subjects/old/versions/latest",
        "/subjects/old/versions/1/schema",
        "/subjects/old/versions/1/referencedby",
        "/subjects/old/metadata?key=owner&value=ops",
        "/schemas/ids/1?subject=old",
        "/schemas/ids/1/versions?subject=old",
    ],
)
async def test_reading_under_an_alias_reads_its_subject(http: httpx2.AsyncClient, path: str) -> None:
    await register(http, "a")
    await put(http, "/config/old", alias="s")
    meant = await http.get(path.replace("old", "s"))
    assert meant.status_code == 200
    assert (await http.get(path)).json() == meant.json()


async def test_looking_up_and_asking_under_an_alias_is_about_its_subject(http: httpx2.AsyncClient) -> None:
    await register(http, "a")
    await put(http, "/config/old", alias="s")
    assert (await post(http, "/subjects/old", {"schema": record("a")})).json()["subject"] == "s"
    for path in (COMPATIBILITY, f"{COMPATIBILITY}/1"):
        asked = await post(http, path.replace("/s/", "/old/"), BREAKING)
        assert asked.json() == {"is_compatible": False}


async def test_settings_under_an_alias_are_its_own(http: httpx2.AsyncClient) -> None:
    await put(http, "/config/s", compatibility="NONE")
    await put(http, "/config/old", alias="s")
    assert (await http.get("/config/old")).json() == {"alias": "s"}


# Rule sets


async def test_a_rule_set_that_is_none_is_refused_without_a_record(
    http: httpx2.AsyncClient, registry: RegistryTwin
) -> None:
    rules = {"domainRules": [{"name": "two words", "type": "CEL"}]}
    answer = await post(http, "/subjects/s/versions", {"schema": record("a"), "ruleSet": rules})
    assert (answer.status_code, answer.json()["error_code"]) == (422, 42210)
    assert registry.records == []


# Compatibility


async def test_verbose_tells_why_in_the_words_of_the_refusal(http: httpx2.AsyncClient) -> None:
    await register(http, "a")
    asked = (await post(http, f"{COMPATIBILITY}?verbose=True", BREAKING)).json()
    refused = (await post(http, "/subjects/s/versions", BREAKING)).json()["message"]
    assert asked["is_compatible"] is False
    assert refused.endswith(f"details: [{', '.join(asked['messages'])}]")


async def test_verbose_has_no_messages_for_what_is_compatible(http: httpx2.AsyncClient) -> None:
    await register(http, "a")
    asked = await post(http, f"{COMPATIBILITY}?verbose=true", {"schema": record("a", "b")})
    assert asked.json() == {"is_compatible": True, "messages": []}


async def test_a_schema_that_is_none_is_incompatible_when_asked_verbosely(http: httpx2.AsyncClient) -> None:
    await register(http, "a")
    for path in (COMPATIBILITY, f"{COMPATIBILITY}/1"):
        asked = await post(http, f"{path}?verbose=true", {"schema": "{}"})
        assert (asked.status_code, asked.json()["is_compatible"]) == (200, False)
        assert asked.json()["messages"]
        assert (await post(http, path, {"schema": "{}"})).json()["error_code"] == 42201


async def test_everything_may_follow_nothing(http: httpx2.AsyncClient) -> None:
    for path in (COMPATIBILITY, f"{COMPATIBILITY}/latest", f"{COMPATIBILITY}/-1"):
        assert (await post(http, path, BREAKING)).json() == {"is_compatible": True}


@pytest.mark.parametrize("registered", [True, False])
async def test_a_version_that_is_missing_cannot_be_compared_with(
    http: httpx2.AsyncClient, registered: bool
) -> None:
    if registered:
        await register(http, "a")
    asked = await post(http, f"{COMPATIBILITY}/7", BREAKING)
    assert (asked.status_code, asked.json()) == (
        404,
        {"error_code": 40402, "message": "Version 7 not found."},
    )


async def test_a_version_that_can_be_none_is_told_apart(http: httpx2.AsyncClient) -> None:
    assert (await post(http, f"{COMPATIBILITY}/newest", BREAKING)).json()["error_code"] == 42202


async def test_one_version_is_compared_with_at_the_level_of_the_subject(http: httpx2.AsyncClient) -> None:
    await register(http, "a")
    await put(http, "/config/s", compatibility="NONE")
    assert (await post(http, f"{COMPATIBILITY}/1", BREAKING)).json() == {"is_compatible": True}
