"""The platform's API: the shape of every answer, what is refused, and that strangers get nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mesh import limits
from mesh.contract.avro import avro_schema
from mesh.contract.reading import read_contract
from mesh.declaration import SourceFile
from mesh.policy import shelve
from mesh_platform.api import create_api
from mesh_platform.auth import BodyLimit, Guarded, Keyring, api_refusal
from mesh_platform.control import ControlPlane
from mesh_platform.log import SqliteLog
from mesh_platform.principals import Principals
from tests.unit.contract_kit import CONTRACT, PRODUCT, contract_text, field, replaced

TOKEN = "t" * 43
FILE = "contracts/ops/flights.v1.odcs.yaml"
WIDER = replaced(
    CONTRACT,
    ("version: 1.0.0", "version: 1.1.0"),
    (
        "      - name: departed_at",
        "      - name: note\n        logicalType: string\n      - name: departed_at",
    ),
)
BROKEN = replaced(
    CONTRACT,
    ("version: 1.0.0", "version: 1.1.0"),
    (
        "      - name: delay\n        logicalType: integer\n"
        "        logicalTypeOptions: {format: i32, minimum: -60}\n",
        "      - name: speed\n        logicalType: number\n        required: true\n",
    ),
)
STRICT = b"apiVersion: mesh/v1\nkind: Policy\nname: support-channel\nseverity: error\n"
Http = httpx2.AsyncClient


def guarded(control: ControlPlane) -> Guarded:
    keyring = Keyring(Principals(TOKEN), lambda: datetime(2026, 11, 2, tzinfo=UTC))
    return Guarded(BodyLimit(create_api(control)), keyring, api_refusal())


@pytest.fixture
def control(tmp_path: Path) -> Iterator[ControlPlane]:
    plane = ControlPlane(SqliteLog(tmp_path / "control.db"), lambda: datetime(2026, 11, 2, tzinfo=UTC))
    yield plane
    plane.close()


@pytest.fixture
def stranger(control: ControlPlane) -> httpx2.ASGITransport:
    return httpx2.ASGITransport(app=guarded(control))


@pytest.fixture
async def http(stranger: httpx2.ASGITransport) -> AsyncIterator[Http]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with Http(transport=stranger, base_url="http://mesh", headers=headers) as client:
        yield client


@pytest.fixture(scope="module")
def settled_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.ASGITransport]:
    """A mesh with one contract and its product, for requests that change nothing."""
    control = ControlPlane(SqliteLog(tmp_path_factory.mktemp("settled") / "control.db"))
    app = guarded(control)

    async def fill() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with Http(
            transport=httpx2.ASGITransport(app=app), base_url="http://mesh", headers=headers
        ) as client:
            await client.post("/contracts", json={"file": FILE, "text": CONTRACT})
            await client.post("/products", json={"file": "p.odps.yaml", "text": PRODUCT})

    asyncio.run(fill())
    before = list(control.recent)
    yield httpx2.ASGITransport(app=app)
    assert control.recent == before, "a request that was refused left a record"
    control.close()


@pytest.fixture
async def settled(settled_app: httpx2.ASGITransport) -> AsyncIterator[Http]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with Http(transport=settled_app, base_url="http://mesh", headers=headers) as client:
        yield client


@pytest.fixture
async def filled(http: Http) -> Http:
    """A mesh with one contract and its product."""
    assert (await http.post("/contracts", json={"file": FILE, "text": CONTRACT})).status_code == 201
    assert (await http.post("/products", json={"file": "p.odps.yaml", "text": PRODUCT})).status_code == 201
    return http


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["title"]
    assert body["why"]
    assert body["next"]
    return body


async def proposed(http: Http, text: str = WIDER) -> dict[str, Any]:
    answer = await http.post("/proposals", json={"file": FILE, "text": text, "reason": "more"})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def decided(
    http: Http, found: dict[str, Any], decision: str = "approve", **more: Any
) -> httpx2.Response:
    body = {"decision": decision, "reason": "fine", "sha256": found["sha256"], **more}
    return await http.post(f"/proposals/{found['number']}/decision", json=body)


async def test_a_new_contract_is_declared_and_found(filled: Http) -> None:
    rows = (await filled.get("/contracts")).json()
    one = (await filled.get("/contracts/ops.flights.v1")).json()
    assert rows == [one]
    assert (one["id"], one["version"], one["text"]) == ("ops.flights.v1", "1.0.0", CONTRACT)
    assert set(one) == {"id", "version", "sha256", "text", "avro", "approved_by", "approved_at", "rule_set"}


async def test_a_declared_product_is_found(filled: Http) -> None:
    (row,) = (await filled.get("/products")).json()
    assert set(row) == {"full_name", "sha256", "text", "declared_at"}
    assert (row["full_name"], row["text"]) == ("ops.flights", PRODUCT)


async def test_a_byte_order_mark_is_no_change(http: Http) -> None:
    first = await http.post("/contracts", json={"file": FILE, "text": CONTRACT})
    again = await http.post("/contracts", json={"file": FILE, "text": "\ufeff" + CONTRACT})
    assert first.json() == again.json()


async def test_the_port_of_a_product_is_the_contract_of_its_highest_major(filled: Http) -> None:
    second = contract_text([field("a")], contract_id="ops.flights.v2", version="2.0.0")
    second = second.replace("status: active", "status: draft")  # in force at once: the first goes on
    both = PRODUCT + "  - name: flights\n    version: 2.0.0\n    contractId: ops.flights.v2\n"
    await filled.post("/contracts", json={"file": FILE, "text": second})
    await filled.post("/products", json={"file": "p.odps.yaml", "text": both})
    assert (await filled.get("/products/ops/flights/port")).json()["id"] == "ops.flights.v2"


async def test_a_change_goes_through_review_into_force(filled: Http) -> None:
    found = await proposed(filled)
    assert (found["number"], found["status"], found["verdict"]["compatible"]) == (1, "open", True)
    assert (await decided(filled, found)).json()["status"] == "approved"
    assert (await filled.get("/contracts/ops.flights.v1")).json()["version"] == "1.1.0"


def documented(text: str = CONTRACT) -> str:
    """The schema of a contract with one more word in it: an `.avsc` that agrees."""
    tree: Any = avro_schema(read_contract(text.encode(), FILE)).tree
    fields = [{**tree["fields"][0], "doc": "Which flight."}, *tree["fields"][1:]]
    return json.dumps({**tree, "fields": fields})


async def test_the_schema_beside_a_contract_is_approved_with_it(http: Http) -> None:
    body = {"file": FILE, "text": CONTRACT, "avro": documented()}
    assert (await http.post("/contracts", json=body)).status_code == 201
    one = (await http.get("/contracts/ops.flights.v1")).json()
    assert '"doc":"Which flight."' in one["avro"]


async def test_a_changed_schema_alone_can_be_proposed(filled: Http) -> None:
    body = {"file": FILE, "text": WIDER, "avro": documented(WIDER), "reason": "words"}
    found = (await filled.post("/proposals", json=body)).json()
    assert found["verdict"]["compatible"]
    assert (await decided(filled, found)).status_code == 200
    one = (await filled.get("/contracts/ops.flights.v1")).json()
    assert '"doc":"Which flight."' in one["avro"]


async def test_a_schema_that_disagrees_is_refused(http: Http) -> None:
    body = {"file": FILE, "text": CONTRACT, "avro": documented().replace('"timestamp-micros"', '"nothing"')}
    problem(await http.post("/contracts", json=body), 422, "MESH-C104")


async def test_proposals_are_listed_newest_first_without_their_texts(filled: Http) -> None:
    await proposed(filled)
    await proposed(filled, WIDER + "# again\n")
    rows = (await filled.get("/proposals")).json()
    assert [row["number"] for row in rows] == [2, 1]
    assert not {"text", "schema"} & set(rows[0])
    assert (await filled.get("/proposals/2")).json()["text"] == WIDER + "# again\n"


async def test_a_subscription_is_kept_and_repeating_it_adds_no_record(
    filled: Http, control: ControlPlane
) -> None:
    body = {"product": "ops.flights", "group": "reports.board", "fields": ["delay"], "purpose": "a report"}
    first = await filled.post("/subscriptions", json=body)
    before = len(control.recent)
    assert first.status_code == 201
    assert (await filled.post("/subscriptions", json=body)).json() == first.json()
    assert (await filled.get("/subscriptions")).json() == [first.json()]
    assert len(control.recent) == before


async def test_a_restart_knows_everything_again(filled: Http, control: ControlPlane, tmp_path: Path) -> None:
    await decided(filled, await proposed(filled))
    control.close()
    again = ControlPlane(SqliteLog(tmp_path / "control.db"))
    again.close()
    assert vars(again.governance) == vars(control.governance)


async def test_a_broken_contract_is_told_with_every_finding_and_its_place(http: Http) -> None:
    text = replaced(CONTRACT, ("status: active", "statsu: active"), ("domain: ops", "domain: 7"))
    body = problem(await http.post("/contracts", json={"file": FILE, "text": text}), 422, "MESH-C022")
    assert [finding["where"] for finding in body["findings"]] == [f"{FILE}:5:1", f"{FILE}:6:1"]
    assert all(finding["code"] and finding["message"] and finding["why"] for finding in body["findings"])


async def test_a_yaml_bomb_is_refused(http: Http) -> None:
    problem(await http.post("/contracts", json={"file": FILE, "text": "[" * 100_000}), 422, "MESH-C016")


async def test_a_changed_contract_cannot_be_declared(filled: Http) -> None:
    body = problem(await filled.post("/contracts", json={"file": FILE, "text": WIDER}), 409, "MESH-G010")
    assert body["next"] == f"mesh propose {FILE}"


async def test_a_product_on_an_undeclared_contract_is_refused(http: Http) -> None:
    problem(await http.post("/products", json={"file": "p", "text": PRODUCT}), 409, "MESH-G020")


async def test_there_is_nothing_to_review_in_an_unchanged_contract(filled: Http) -> None:
    problem(await filled.post("/proposals", json={"file": FILE, "text": CONTRACT}), 409, "MESH-G021")


async def test_a_breaking_change_cannot_be_approved(filled: Http) -> None:
    found = await proposed(filled, BROKEN)
    assert not found["verdict"]["compatible"]
    problem(await decided(filled, found), 409, "MESH-G015")


def consumer(*fields: str) -> str:
    ports = "".join(
        f"  - name: in{i}\n    contractId: ops.flights.v1\n"
        + (f"    customProperties: [{{property: fields, value: [{field}]}}]\n" if field else "")
        for i, field in enumerate(fields)
    )
    product = replaced(
        PRODUCT, ("id: ops.flights\n", "id: ops.other\n"), ("name: flights\nv", "name: other\nv")
    )
    return f"{product}inputPorts:\n{ports}"


async def test_a_verdict_tells_what_the_policies_say(filled: Http) -> None:
    asked = (await proposed(filled))["verdict"]["policies"]
    assert asked["day"] == "2026-11-02"
    assert "status-goes-forward" in asked["passed"]
    assert "owner-present" in [outcome["policy"] for outcome in asked["outcomes"]]


async def test_a_first_version_that_a_policy_refuses_is_not_declared(http: Http) -> None:
    personal = replaced(CONTRACT, ("name: delay", "name: home_phone"))
    answer = await http.post("/contracts", json={"file": FILE, "text": personal})
    assert "personal-data-classified" in problem(answer, 409, "MESH-G018")["why"]
    assert (await http.get("/contracts")).json() == []


async def test_a_product_that_a_policy_refuses_is_not_taken(filled: Http, control: ControlPlane) -> None:
    strict = shelve([SourceFile("policies/support-channel.policy.yaml", STRICT)])
    app = Guarded(create_api(control, lambda: strict), Keyring(Principals(TOKEN), control.now), api_refusal())
    transport, headers = httpx2.ASGITransport(app=app), {"Authorization": f"Bearer {TOKEN}"}
    async with Http(transport=transport, base_url="http://mesh", headers=headers) as client:
        changed = {
            "file": "p.odps.yaml",
            "text": replaced(PRODUCT, ("version: 1.0.0\nstatus", "version: 1.1.0\nstatus")),
        }
        answer = await client.post("/products", json=changed)
        assert "support-channel" in problem(answer, 409, "MESH-G018")["why"]
        assert (await client.get("/products")).json() == (await filled.get("/products")).json()
        same = await client.post("/products", json={"file": "p.odps.yaml", "text": PRODUCT})
        assert same.status_code == 201, "a policy that came later does not stand against what is in force"


async def test_a_first_version_carries_the_hash_of_the_policies_that_let_it_through(
    filled: Http, control: ControlPlane
) -> None:
    declared = next(record for record in control.recent if record.kind == "contract.declare")
    assert set(declared.body["policies"]) == {"sha256", "day"}


@pytest.mark.parametrize(
    ("reads", "fields"),
    [(("delay",), ["delay"]), (("flight_id", "delay"), ["delay", "flight_id"]), (("delay", ""), [])],
)
async def test_a_verdict_knows_what_input_ports_read(
    filled: Http, reads: tuple[str, ...], fields: list[str]
) -> None:
    answer = await filled.post("/products", json={"file": "o.odps.yaml", "text": consumer(*reads)})
    assert answer.status_code == 201, answer.text
    (reader,) = (await proposed(filled))["verdict"]["readers"]
    assert (reader["name"], reader["fields"]) == ("ops.other (input port)", fields)


async def test_a_decision_on_another_text_is_refused(filled: Http) -> None:
    problem(await decided(filled, await proposed(filled), sha256="0" * 64), 409, "MESH-G014")


@pytest.mark.parametrize(
    "path",
    [
        "/contracts/no.such.v1",
        "/products/no/such/port",
        "/proposals/99",
        "/proposals/-1",
        "/nothing/here",
        "/",
    ],
)
async def test_what_is_not_there_is_404(settled: Http, path: str) -> None:
    problem(await settled.get(path), 404, "MESH-S404")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/proposals", {"file": FILE, "text": CONTRACT.replace("ops.flights", "ops.other")}, "MESH-S404"),
        ("/subscriptions", {"product": "no.such", "group": "g.h"}, "MESH-G026"),
    ],
)
async def test_what_is_not_declared_cannot_be_proposed_or_read(
    settled: Http, path: str, body: Any, code: str
) -> None:
    problem(await settled.post(path, json=body), 404, code)


async def test_another_method_is_405(settled: Http) -> None:
    problem(await settled.delete("/contracts"), 405, "MESH-S405")


GOOD: dict[str, dict[str, Any]] = {
    "/contracts": {"file": FILE, "text": CONTRACT},
    "/products": {"file": "p", "text": PRODUCT},
    "/proposals": {"file": FILE, "text": WIDER, "reason": ""},
    "/proposals/1/decision": {"decision": "approve", "reason": "x", "sha256": "0" * 64},
    "/subscriptions": {"product": "ops.flights", "group": "g", "fields": [], "purpose": ""},
}


@pytest.mark.parametrize("path", GOOD)
async def test_a_key_that_is_not_known_is_refused(settled: Http, path: str) -> None:
    body = problem(await settled.post(path, json={**GOOD[path], "approved_by": "me"}), 422, "MESH-S422")
    assert "approved_by" in body["why"]


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b"\xff",
        b"{}",
        b'{"file": "\\ud800", "text": "\\ud800"}',
        b"[" * 50_000,
    ],
)
async def test_a_malformed_body_is_refused_as_a_problem(settled: Http, path: str, raw: bytes) -> None:
    answer = await settled.post(path, content=raw, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert problem(answer, answer.status_code, f"MESH-S{answer.status_code}")


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/contracts", {"file": "x" * 256}),
        ("/contracts", {"file": 5}),
        ("/contracts", {"text": None}),
        ("/proposals", {"reason": "x" * 4_001}),
        ("/proposals", {"reason": "half \ud800"}),
        ("/proposals/1/decision", {"decision": "maybe"}),
        ("/proposals/1/decision", {"reason": ""}),
        ("/proposals/1/decision", {"sha256": "0" * 63}),
        ("/proposals/1/decision", {"sha256": "G" * 64}),
        ("/proposals/x/decision", {}),
        ("/subscriptions", {"fields": ["x"] * 1_001}),
        ("/subscriptions", {"fields": "delay"}),
        ("/subscriptions", {"purpose": "x" * 1_001}),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode(),
)
async def test_a_value_beyond_its_bounds_is_refused(settled: Http, path: str, wrong: dict[str, Any]) -> None:
    good = GOOD[path.replace("/x/", "/1/")]
    content = json.dumps({**good, **wrong})
    problem(
        await settled.post(path, content=content, headers={"content-type": "application/json"}),
        422,
        "MESH-S422",
    )


@pytest.mark.parametrize("number", ["9" * 5_000, "1.5", "０", "%00"])
async def test_a_proposal_number_that_is_none_is_refused(settled: Http, number: str) -> None:
    answer = await settled.get(f"/proposals/{number}")
    assert answer.status_code in (404, 422)
    problem(answer, answer.status_code, f"MESH-S{answer.status_code}")


async def test_a_declared_body_over_the_limit_is_413_before_it_is_read(settled: Http) -> None:
    answer = await settled.post("/contracts", content=b"x" * (limits.BODY_BYTES + 1))
    problem(answer, 413, "MESH-S413")


async def test_a_body_that_turns_out_too_large_is_413(settled: Http) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * (limits.BODY_BYTES // 16)

    answer = await settled.post("/contracts", content=pieces(), headers={"content-type": "application/json"})
    problem(answer, 413, "MESH-S413")


async def test_a_body_at_the_limit_is_read(http: Http) -> None:
    raw = json.dumps({"file": FILE, "text": CONTRACT}).encode().ljust(limits.BODY_BYTES)
    answer = await http.post("/contracts", content=raw, headers={"content-type": "application/json"})
    assert answer.status_code == 201


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 5_000, ""])
async def test_a_content_length_that_is_no_length_is_refused(settled: Http, length: str) -> None:
    assert (await settled.post("/contracts", headers={"content-length": length})).status_code == 413


async def test_every_path_of_the_openapi_document_has_a_summary(settled: Http) -> None:
    document = (await settled.get("/openapi.json")).json()
    assert all(verb.get("summary") for path in document["paths"].values() for verb in path.values())


HEADERS: list[dict[str, str]] = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": TOKEN},
    {"Authorization": f"Bearer {TOKEN}x"},
    {"Authorization": f"Bearer {TOKEN[:-1]}"},
    {"Authorization": "Basic !!!"},
    {"Authorization": "Basic /w=="},
    {"Authorization": "Bearer " + "x" * 20_000},
    {"Authorization": f"Token {TOKEN}"},
    {"X-Forwarded-User": "local"},
    {"Cookie": f"session={TOKEN}"},
]


@pytest.mark.parametrize("headers", HEADERS, ids=lambda headers: str(headers)[:40])
async def test_a_stranger_gets_401_before_anything_is_parsed(
    settled_app: httpx2.ASGITransport, headers: dict[str, str]
) -> None:
    async with Http(transport=settled_app, base_url="http://mesh", headers=headers) as client:
        answer = await client.post("/contracts", content=b"[" * 50_000)
        problem(answer, 401, "MESH-S401")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", [b"Basic \xe9", b"Bearer \xff\xfe", b"\x80"])
async def test_an_authorization_of_odd_bytes_is_401(settled_app: httpx2.ASGITransport, header: bytes) -> None:
    async with Http(
        transport=settled_app, base_url="http://mesh", headers=[(b"authorization", header)]
    ) as client:
        problem(await client.get("/contracts"), 401, "MESH-S401")


async def test_the_token_may_come_as_a_basic_password(stranger: httpx2.ASGITransport) -> None:
    async with Http(transport=stranger, base_url="http://mesh", auth=("anybody", TOKEN)) as client:
        assert (await client.get("/contracts")).status_code == 200


RETIRED = CONTRACT.replace("status: active", "status: retired")


async def test_a_contract_that_is_active_is_not_removed(settled: Http) -> None:
    problem(await settled.delete("/contracts/ops.flights.v1"), 409, "MESH-G022")


async def test_a_contract_that_a_product_stands_on_is_not_removed(http: Http) -> None:
    await http.post("/contracts", json={"file": FILE, "text": RETIRED})
    await http.post("/products", json={"file": "p.odps.yaml", "text": PRODUCT})
    problem(await http.delete("/contracts/ops.flights.v1"), 409, "MESH-G023")


async def test_a_retired_contract_goes_after_its_product(http: Http) -> None:
    await http.post("/contracts", json={"file": FILE, "text": RETIRED})
    await http.post("/products", json={"file": "p.odps.yaml", "text": PRODUCT})
    assert (await http.delete("/products/ops/flights")).status_code == 200
    assert (await http.delete("/contracts/ops.flights.v1")).status_code == 200
    assert (await http.get("/contracts")).json() == (await http.get("/products")).json() == []


async def test_what_is_not_there_cannot_be_removed(settled: Http) -> None:
    problem(await settled.delete("/contracts/ops.nothing.v1"), 404, "MESH-G024")
    problem(await settled.delete("/products/ops/nothing"), 404, "MESH-G025")
