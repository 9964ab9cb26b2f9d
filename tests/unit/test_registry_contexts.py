"""Contexts: rooms with subjects and ids of their own, in names and in paths."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.unit.registry_twin import RegistryTwin, client_of

INT, LONG = {"schema": '"int"'}, {"schema": '"long"'}
EU = "/contexts/.eu"


@pytest.fixture
def registry() -> RegistryTwin:
    return RegistryTwin()


@pytest.fixture
async def http(registry: RegistryTwin) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(registry) as client:
        yield client


async def post(http: httpx2.AsyncClient, path: str, body: Any) -> Any:
    headers = {"content-type": "application/vnd.schemaregistry.v1+json"}
    return (await http.post(path, content=json.dumps(body), headers=headers)).json()


async def get(http: httpx2.AsyncClient, path: str) -> Any:
    return (await http.get(path)).json()


async def test_a_name_puts_its_subject_into_a_context(http: httpx2.AsyncClient) -> None:
    made = await post(http, "/subjects/:.eu:s/versions", INT)
    assert made["subject"] == ":.eu:s"
    assert await get(http, "/contexts") == [".", ".eu"]


async def test_every_context_counts_its_own_ids(http: httpx2.AsyncClient) -> None:
    here = await post(http, "/subjects/s/versions", INT)
    there = await post(http, "/subjects/:.eu:s/versions", LONG)
    assert (here["id"], there["id"]) == (1, 1)
    assert (await get(http, "/schemas/ids/1"))["schema"] == '"int"'
    assert (await get(http, f"{EU}/schemas/ids/1"))["schema"] == '"long"'


async def test_an_id_is_looked_up_in_the_context_of_the_subject_asked_with(http: httpx2.AsyncClient) -> None:
    await post(http, "/subjects/s/versions", INT)
    await post(http, "/subjects/:.eu:s/versions", LONG)
    assert (await get(http, "/schemas/ids/1?subject=:.eu:s"))["schema"] == '"long"'
    assert (await get(http, "/schemas/ids/1?subject=s"))["schema"] == '"int"'


async def test_a_client_that_knows_no_contexts_finds_the_id_of_its_topic(http: httpx2.AsyncClient) -> None:
    await post(http, "/subjects/other/versions", INT)
    await post(http, "/subjects/:.eu:s/versions", LONG)
    assert (await get(http, "/schemas/ids/1?subject=s"))["schema"] == '"long"'
    assert (await get(http, "/schemas/ids/1?subject=nowhere"))["schema"] == '"int"'


async def test_a_path_below_a_context_means_its_subjects(http: httpx2.AsyncClient) -> None:
    made = await post(http, f"{EU}/subjects/s/versions", INT)
    assert made["subject"] == ":.eu:s"
    assert await get(http, f"{EU}/subjects/s/versions") == [1]
    assert (await post(http, f"{EU}/subjects/s", INT))["version"] == 1
    assert (await post(http, f"{EU}/compatibility/subjects/s/versions", LONG))["is_compatible"] is True
    assert (await http.get("/subjects/s/versions")).status_code == 404


@pytest.mark.parametrize("spelling", ["eu", ".eu", ":.eu:"])
async def test_a_context_is_spelled_with_or_without_its_dot(http: httpx2.AsyncClient, spelling: str) -> None:
    await post(http, f"/contexts/{spelling}/subjects/s/versions", INT)
    assert await get(http, "/subjects") == [":.eu:s"]


async def test_a_path_below_the_default_context_is_the_path_itself(http: httpx2.AsyncClient) -> None:
    made = await post(http, "/contexts/:.:/subjects/s/versions", INT)
    assert made["subject"] == "s"


async def test_a_subject_with_a_context_of_its_own_keeps_it(http: httpx2.AsyncClient) -> None:
    made = await post(http, f"{EU}/subjects/:.us:s/versions", INT)
    assert made["subject"] == ":.us:s"


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/subjects", [":.eu:b", ":.eu:bb", "a", "b"]),
        ("/subjects?subjectPrefix=:*:b", [":.eu:b", ":.eu:bb", "b"]),
        ("/subjects?subjectPrefix=b", ["b"]),
        ("/subjects?subjectPrefix=:.:", ["a", "b"]),
        ("/subjects?subjectPrefix=:.eu:bb", [":.eu:bb"]),
        (f"{EU}/subjects", [":.eu:b", ":.eu:bb"]),
        (f"{EU}/subjects?subjectPrefix=bb", [":.eu:bb"]),
        ("/contexts/:.:/subjects", ["a", "b"]),
    ],
)
async def test_subjects_are_listed_by_context_and_prefix(
    http: httpx2.AsyncClient, path: str, names: list[str]
) -> None:
    for name in ("a", "b", ":.eu:b", ":.eu:bb"):
        await post(http, f"/subjects/{name}/versions", INT)
    assert await get(http, path) == names
    listed = await get(http, path.replace("/subjects", "/schemas", 1))
    assert [entry["subject"] for entry in listed] == names


async def test_contexts_are_listed_by_prefix_and_page(http: httpx2.AsyncClient) -> None:
    for name in (":.eu:s", ":.us:s"):
        await post(http, f"/subjects/{name}/versions", INT)
    assert await get(http, "/contexts?contextPrefix=.u") == [".us"]
    assert await get(http, "/contexts?offset=1&limit=1") == [".eu"]


async def test_one_guid_leads_to_the_ids_of_every_context(http: httpx2.AsyncClient) -> None:
    await post(http, "/subjects/first/versions", LONG)
    made = await post(http, "/subjects/s/versions", INT)
    await post(http, "/subjects/:.eu:s/versions", INT)
    ids = await get(http, f"/schemas/guids/{made['guid']}/ids")
    assert ids == [{"context": ".", "id": 2}, {"context": ".eu", "id": 1}]
    assert (await get(http, f"/schemas/guids/{made['guid']}"))["schema"] == '"int"'


async def test_the_uses_of_an_id_are_those_of_its_context(http: httpx2.AsyncClient) -> None:
    await post(http, "/subjects/s/versions", INT)
    await post(http, "/subjects/:.eu:t/versions", INT)
    assert await get(http, f"{EU}/schemas/ids/1/subjects") == [":.eu:t"]
    assert await get(http, f"{EU}/schemas/ids/1/versions") == [{"subject": ":.eu:t", "version": 1}]
    assert await get(http, "/schemas/ids/1/subjects") == ["s"]


async def test_the_uses_of_an_id_can_be_limited_to_a_subject(http: httpx2.AsyncClient) -> None:
    for name in ("s", "t"):
        await post(http, f"/subjects/{name}/versions", INT)
    assert await get(http, "/schemas/ids/1/versions?subject=t") == [{"subject": "t", "version": 1}]


async def test_the_highest_id_is_that_of_the_context(http: httpx2.AsyncClient) -> None:
    await post(http, "/subjects/s/versions", INT)
    await post(http, "/subjects/s2/versions", LONG)
    await post(http, "/subjects/:.eu:s/versions", INT)
    assert (await get(http, "/schemas/ids/1?fetchMaxId=True"))["maxId"] == 2
    assert (await get(http, f"{EU}/schemas/ids/1?fetchMaxId=true"))["maxId"] == 1


async def test_a_context_is_deleted_only_when_it_is_empty(http: httpx2.AsyncClient) -> None:
    await post(http, f"{EU}/subjects/s/versions", INT)
    assert (await http.delete(EU)).json()["error_code"] == 42211
    await http.delete(f"{EU}/subjects/s")
    assert (await http.delete(EU)).json()["error_code"] == 42211
    await http.delete(f"{EU}/subjects/s?permanent=true")
    answer = await http.delete(EU)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await get(http, "/contexts") == ["."]


async def test_a_deleted_context_leaves_no_settings(http: httpx2.AsyncClient, registry: RegistryTwin) -> None:
    headers = {"content-type": "application/json"}
    for scope in (":.eu:", ":.eu:s", "s"):
        await http.put(f"/config/{scope}", content='{"compatibility":"FULL"}', headers=headers)
    await http.delete(EU)
    assert list(registry.state.settings.configs) == ["s"]


async def test_a_context_that_comes_back_gives_no_id_twice(http: httpx2.AsyncClient) -> None:
    await post(http, f"{EU}/subjects/s/versions", INT)
    for query in ("", "?permanent=true"):
        await http.delete(f"{EU}/subjects/s{query}")
    await http.delete(EU)
    assert (await post(http, f"{EU}/subjects/s/versions", LONG))["id"] == 2


async def test_the_default_context_cannot_be_deleted(http: httpx2.AsyncClient) -> None:
    assert (await http.delete("/contexts/:.:")).json()["error_code"] == 42205


@pytest.mark.parametrize("context", [":.a:b:", "a:b", ".__GLOBAL", "%01"])
async def test_what_no_context_can_be_called_is_refused(http: httpx2.AsyncClient, context: str) -> None:
    answer = await http.get(f"/contexts/{context}/subjects")
    assert (answer.status_code, answer.json()["error_code"]) == (422, 42208)


async def test_a_setting_below_a_context_is_the_contexts(
    http: httpx2.AsyncClient, registry: RegistryTwin
) -> None:
    headers = {"content-type": "application/json"}
    await http.put(f"{EU}/config", content='{"compatibility":"NONE"}', headers=headers)
    assert list(registry.state.settings.configs) == [":.eu:"]
    assert await get(http, "/config") == {"compatibilityLevel": "BACKWARD"}
    assert await get(http, f"{EU}/config") == {"compatibilityLevel": "NONE"}
    await http.put(f"{EU}/mode/s", content='{"mode":"READONLY"}', headers=headers)
    assert list(registry.state.settings.modes) == [":.eu:s"]
