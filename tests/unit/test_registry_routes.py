"""The registry over HTTP: paths, bodies, media types and what hostile requests get."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from mesh import limits
from mesh_platform.registry.http import WholeMount
from mesh_platform.registry.routes import routes
from tests.unit.registry_twin import RegistryTwin, client_of

INT, LONG = {"schema": '"int"'}, {"schema": '"long"'}
TYPE = "application/vnd.schemaregistry.v1+json"


@pytest.fixture
def registry() -> RegistryTwin:
    return RegistryTwin()


@pytest.fixture
async def http(registry: RegistryTwin) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(registry) as client:
        yield client


async def post(http: httpx2.AsyncClient, path: str, body: Any = None, **more: Any) -> httpx2.Response:
    return await http.post(path, content=json.dumps(body), headers={"content-type": TYPE}, **more)


async def test_the_root_answers_an_empty_object(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/")).json() == {}


async def test_answers_have_the_registrys_media_type(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/subjects")).headers["content-type"] == TYPE


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", TYPE),
        ("application/json", "application/json"),
        (f"{TYPE};q=0.2, application/json;q=0.9", "application/json"),
        ("text/html, application/vnd.schemaregistry+json;q=0.5", "application/vnd.schemaregistry+json"),
    ],
)
async def test_the_media_type_is_the_one_asked_for(
    http: httpx2.AsyncClient, accept: str, answered: str
) -> None:
    assert (await http.get("/subjects", headers={"accept": accept})).headers["content-type"] == answered


async def test_a_media_type_that_is_not_answered_is_406(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/subjects", headers={"accept": "text/html"})).status_code == 406


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/octet-stream", TYPE])
async def test_bodies_of_these_types_are_read(http: httpx2.AsyncClient, kind: str) -> None:
    answer = await http.post("/subjects/s/versions", content=json.dumps(INT), headers={"content-type": kind})
    assert answer.json()["id"] == 1


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        ({"content-type": "text/plain"}, b"{}", 415, 415),
        ({"content-type": TYPE, "content-encoding": "gzip"}, b"{}", 415, 415),
        ({"content-type": TYPE}, b"", 400, 400),
        ({"content-type": TYPE}, b"[]", 400, 400),
        ({"content-type": TYPE}, b"\xff", 400, 400),
        ({"content-type": TYPE}, b'{"schema":"1","schema":"2"}', 400, 400),
        ({"content-type": TYPE}, b'{"id":NaN}', 400, 400),
        ({"content-type": TYPE}, b'{"id":1e999}', 400, 400),
        ({"content-type": TYPE}, b"[" * 10_000, 400, 400),
        ({"content-type": TYPE}, b" " * (limits.BODY_BYTES + 1), 422, 42209),
    ],
)
async def test_a_hostile_body_is_refused(
    http: httpx2.AsyncClient,
    registry: RegistryTwin,
    headers: dict[str, str],
    content: bytes,
    status: int,
    code: int,
) -> None:
    answer = await http.post("/subjects/s/versions", content=content, headers=headers)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert registry.records == []


async def test_a_body_without_a_length_is_cut_off_at_the_limit(http: httpx2.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(limits.BODY_BYTES // 1024 + 1):
            yield b" " * 1024

    answer = await http.post("/subjects/s/versions", content=endless(), headers={"content-type": TYPE})
    assert answer.json()["error_code"] == 42209


@pytest.mark.parametrize("name", ["a%2Fb", "a%2Fversions%2F1", "%3A.%3Ax", "%25", "a%20b", "%C3%BC"])
async def test_encoded_subjects_are_one_name(
    http: httpx2.AsyncClient, registry: RegistryTwin, name: str
) -> None:
    await post(http, f"/subjects/{name}/versions", INT)
    assert (await http.get(f"/subjects/{name}/versions/1")).json()["version"] == 1
    assert len(registry.state.subjects.names()) == 1


async def test_the_registry_may_be_part_of_a_larger_application(registry: RegistryTwin) -> None:
    application = Starlette(routes=[WholeMount("/registry", Starlette(routes=routes(registry)))])
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://mesh/registry") as client:
        await post(client, "/subjects/a%2Fb/versions", INT)
        assert (await client.get("/contexts/:.:/subjects/a%2Fb/versions")).json() == [1]
        assert (await client.get("/subjects/a%0Ab/versions")).json()["error_code"] == 42208


async def test_a_subject_that_is_not_utf8_is_not_found(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/subjects/%ff/versions")).status_code == 404


@pytest.mark.parametrize("true", ["true", "True", "TRUE"])
async def test_booleans_are_read_in_any_case(http: httpx2.AsyncClient, true: str) -> None:
    await post(http, "/subjects/s/versions", INT)
    await http.delete("/subjects/s")
    assert (await http.get(f"/subjects?deleted={true}")).json() == ["s"]


@pytest.mark.parametrize("parameter", ["deletedOnly", "deleted_only"])
async def test_only_deleted_subjects_can_be_listed(http: httpx2.AsyncClient, parameter: str) -> None:
    await post(http, "/subjects/gone/versions", INT)
    await http.delete("/subjects/gone")
    await post(http, "/subjects/here/versions", INT)
    assert (await http.get(f"/subjects?{parameter}=true")).json() == ["gone"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a", "b", "c"]),
        ("?offset=1", ["b", "c"]),
        ("?limit=2", ["a", "b"]),
        ("?offset=1&limit=1", ["b"]),
        ("?offset=9", []),
        ("?limit=-1", ["a", "b", "c"]),
        ("?subjectPrefix=b", ["b"]),
        ("?subjectPrefix=:*:", ["a", "b", "c"]),
    ],
)
async def test_lists_are_paged_and_filtered(
    http: httpx2.AsyncClient, query: str, expected: list[str]
) -> None:
    for name in "cab":
        await post(http, f"/subjects/{name}/versions", INT)
    assert (await http.get(f"/subjects{query}")).json() == expected


async def test_a_page_that_is_no_number_is_refused(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/subjects?limit=all")).status_code == 400


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/subjects/none/versions", 404, 40401),
        ("/subjects/none/versions/1", 404, 40401),
        ("/subjects/s/versions/2", 404, 40402),
        ("/subjects/s/versions/0", 422, 42202),
        ("/subjects/s/versions/-2", 422, 42202),
        ("/subjects/s/versions/first", 422, 42202),
        ("/subjects/__GLOBAL/versions", 422, 42208),
        ("/schemas/ids/2", 404, 40403),
        ("/schemas/ids/x", 404, 40403),
        ("/schemas/ids/99999999999", 404, 40403),
        ("/schemas/ids/2/subjects", 404, 40403),
        ("/schemas/guids/none", 404, 40403),
        ("/config/s", 404, 40408),
        ("/mode/s", 404, 40409),
        ("/associations/resources/-/topic?resourceType=topic&associationType=value", 404, 40410),
    ],
)
async def test_what_is_not_there_has_its_own_code(
    http: httpx2.AsyncClient, path: str, status: int, code: int
) -> None:
    await post(http, "/subjects/s/versions", INT)
    answer = await http.get(path)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)


@pytest.mark.parametrize("path", ["/subjects/s/versions/latest/schema", "/schemas/ids/1/schema"])
async def test_the_schema_itself_is_answered_unwrapped(http: httpx2.AsyncClient, path: str) -> None:
    await post(http, "/subjects/s/versions", INT)
    assert (await http.get(path)).text == '"int"'


async def test_config_is_spelled_two_ways(http: httpx2.AsyncClient) -> None:
    put = await http.put("/config/s", content='{"compatibility":"full"}', headers={"content-type": TYPE})
    assert put.json() == {"compatibility": "FULL"}
    assert (await http.get("/config/s")).json() == {"compatibilityLevel": "FULL"}
    assert (await http.delete("/config/s")).json() == {"compatibilityLevel": "FULL"}


async def test_the_levels_of_all_subjects_are_one_answer(http: httpx2.AsyncClient) -> None:
    for subject, level in (("b", "FULL"), ("a", "NONE")):
        body = json.dumps({"compatibility": level})
        await http.put(f"/config/{subject}", content=body, headers={"content-type": TYPE})
    assert (await http.get("/mesh/levels")).json() == {"a": "NONE", "b": "FULL"}


async def test_settings_in_force_are_answered_when_asked_for(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/config/s?defaultToGlobal=true")).json() == {"compatibilityLevel": "BACKWARD"}
    assert (await http.get("/mode/s?defaultToGlobal=True")).json() == {"mode": "READWRITE"}


async def test_an_empty_configuration_changes_nothing(http: httpx2.AsyncClient) -> None:
    put = await http.put("/config", content="{}", headers={"content-type": TYPE})
    assert put.json() == {"compatibility": "BACKWARD"}


async def test_a_verbose_verdict_says_why(http: httpx2.AsyncClient) -> None:
    await post(http, "/subjects/s/versions", INT)
    answer = (
        await post(http, "/compatibility/subjects/s/versions/latest?verbose=true", {"schema": '"string"'})
    ).json()
    assert not answer["is_compatible"]
    assert "TYPE_MISMATCH" in answer["messages"][0]


async def test_an_unreadable_schema_is_incompatible_when_verbose_and_refused_when_not(
    http: httpx2.AsyncClient,
) -> None:
    verbose = await post(http, "/compatibility/subjects/s/versions?verbose=true", {"schema": "{"})
    assert (verbose.status_code, verbose.json()["is_compatible"]) == (200, False)
    assert (await post(http, "/compatibility/subjects/s/versions", {"schema": "{"})).json()[
        "error_code"
    ] == 42201


async def test_anything_is_compatible_with_a_subject_that_is_not_there(http: httpx2.AsyncClient) -> None:
    assert (await post(http, "/compatibility/subjects/s/versions/latest", INT)).json() == {
        "is_compatible": True
    }


async def test_an_explicit_version_that_is_not_there_cannot_be_compared(http: httpx2.AsyncClient) -> None:
    await post(http, "/subjects/s/versions", INT)
    assert (await post(http, "/compatibility/subjects/s/versions/9", LONG)).json()["error_code"] == 40402


async def test_lookup_tells_a_missing_subject_from_a_missing_schema(http: httpx2.AsyncClient) -> None:
    assert (await post(http, "/subjects/s", INT)).json()["error_code"] == 40401
    await post(http, "/subjects/s/versions", INT)
    assert (await post(http, "/subjects/s", LONG)).json()["error_code"] == 40403


async def test_deleted_versions_can_be_shown_as_negative_numbers(http: httpx2.AsyncClient) -> None:
    await post(http, "/subjects/s/versions", INT)
    await post(http, "/subjects/s/versions", LONG)
    await http.delete("/subjects/s/versions/1")
    assert (await http.get("/subjects/s/versions?deletedAsNegative=true")).json() == [-1, 2]


async def test_all_schemas_or_only_the_latest_are_listed(http: httpx2.AsyncClient) -> None:
    await post(http, "/subjects/s/versions", INT)
    await post(http, "/subjects/s/versions", LONG)
    assert [entry["version"] for entry in (await http.get("/schemas")).json()] == [1, 2]
    assert [entry["version"] for entry in (await http.get("/schemas?latestOnly=true")).json()] == [2]


async def test_the_answer_by_id_follows_a_deletion_for_good(http: httpx2.AsyncClient) -> None:
    await post(http, "/subjects/s/versions", INT)
    assert (await http.get("/schemas/ids/1")).json()["schema"] == '"int"'
    await http.delete("/subjects/s")
    assert (await http.get("/schemas/ids/1")).status_code == 200
    await http.delete("/subjects/s?permanent=true")
    assert (await http.get("/schemas/ids/1")).status_code == 404


async def test_the_actor_of_a_write_is_the_principal(registry: RegistryTwin) -> None:
    application = Starlette(routes=routes(registry))

    async def signed_in(scope: Any, receive: Any, send: Any) -> None:
        await application({**scope, "principal": "ada"}, receive, send)

    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=signed_in), base_url="http://registry"
    ) as client:
        await post(client, "/subjects/s/versions", INT)
    assert [record.actor for record in registry.records] == ["ada"]


async def test_a_refused_schema_writes_nothing_to_the_log(
    http: httpx2.AsyncClient, registry: RegistryTwin
) -> None:
    assert (await post(http, "/subjects/s/versions", {"schema": "{"})).json()["error_code"] == 42201
    assert registry.records == []
