"""Avro, JSON Schema and Protobuf through the registry: stored, found, referred to, kept apart."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from mesh_platform.registry import state
from tests.unit.registry_kit import SUBJECT, code_of, delete, record, register
from tests.unit.registry_twin import RegistryTwin, client_of

MONEY = {
    "AVRO": record("cents", name="shop.Money"),
    "JSON": json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", "type": "integer"}),
    "PROTOBUF": 'syntax = "proto3";\npackage shop;\nmessage Money { int64 cents = 1; }\n',
}
BILL = {
    "AVRO": '{"type":"record","name":"shop.Bill","fields":[{"name":"total","type":"shop.Money"}]}',
    "JSON": json.dumps({"type": "object", "properties": {"total": {"$ref": "money.json"}}}),
    "PROTOBUF": 'syntax = "proto3";\npackage shop;\nimport "money.proto";\nmessage Bill { Money total = 1; }',
}
NAMES = {"AVRO": "shop.Money", "JSON": "money.json", "PROTOBUF": "money.proto"}
KINDS = sorted(MONEY)


@pytest.fixture
def registry() -> RegistryTwin:
    return RegistryTwin()


@pytest.fixture
async def http(registry: RegistryTwin) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(registry) as client:
        yield client


def add(registry: RegistryTwin, kind: str, **more: Any) -> Any:
    return register(registry, MONEY[kind], schemaType=kind, **more)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_schema_of_each_kind_is_stored_and_served(
    http: httpx2.AsyncClient, registry: RegistryTwin, kind: str
) -> None:
    made = add(registry, kind)
    served = (await http.get(f"/schemas/ids/{made['id']}")).json()
    assert (served["schema"], served["schemaType"]) == (made["schema"], kind)
    looked_up = await http.post(f"/subjects/{SUBJECT}", json={"schema": MONEY[kind], "schemaType": kind})
    assert looked_up.json()["version"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_served_may_be_registered_again(registry: RegistryTwin, kind: str) -> None:
    made = add(registry, kind)
    assert register(registry, made["schema"], schemaType=kind) == made


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_of_each_kind_may_refer_to_another(registry: RegistryTwin, kind: str) -> None:
    add(registry, kind, subject="money")
    reference = {"name": NAMES[kind], "subject": "money", "version": 1}
    made = register(registry, BILL[kind], schemaType=kind, references=[reference])
    assert made["references"] == [reference]
    assert code_of(delete(registry, "money")) == 42206


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_of_each_kind_needs_what_it_refers_to(registry: RegistryTwin, kind: str) -> None:
    assert code_of(register(registry, BILL[kind], schemaType=kind)) == 42201


@pytest.mark.parametrize("kind", ["JSON", "PROTOBUF"])
def test_a_reference_stays_within_its_kind(registry: RegistryTwin, kind: str) -> None:
    add(registry, "AVRO", subject="money")
    reference = {"name": NAMES[kind], "subject": "money", "version": 1}
    assert code_of(register(registry, BILL[kind], schemaType=kind, references=[reference])) == 42201


def test_one_text_in_two_kinds_is_two_schemas(registry: RegistryTwin) -> None:
    registry.send(state.SET_CONFIG, {"compatibility": "NONE"})
    both = '{"type":"string"}'
    avro, other = register(registry, both), register(registry, both, schemaType="JSON")
    assert (avro["version"], other["version"]) == (1, 2)
    assert avro["id"] != other["id"]


def test_a_subject_does_not_change_its_kind_while_it_has_a_level(registry: RegistryTwin) -> None:
    add(registry, "AVRO")
    assert code_of(add(registry, "JSON")) == 409


@pytest.mark.parametrize("kind", ["XML", "avro", ["AVRO"], 1])
def test_other_kinds_are_refused(registry: RegistryTwin, kind: Any) -> None:
    assert code_of(register(registry, '"int"', schemaType=kind)) == 42201


@pytest.mark.parametrize("kind", [None, ""])
def test_a_schema_that_does_not_name_its_kind_is_avro(registry: RegistryTwin, kind: Any) -> None:
    assert register(registry, '"int"', schemaType=kind)["schemaType"] == "AVRO"


async def test_the_kinds_are_listed(http: httpx2.AsyncClient) -> None:
    assert sorted((await http.get("/schemas/types")).json()) == KINDS


@pytest.mark.parametrize("kind", ["JSON", "PROTOBUF"])
async def test_tags_are_changed_inside_avro_only(
    http: httpx2.AsyncClient, registry: RegistryTwin, kind: str
) -> None:
    add(registry, kind, subject="s")
    answer = (await http.post("/subjects/s/versions/1/tags", json={"tagsToAdd": []})).json()
    assert answer["error_code"] == 42201
    assert "register the schema with its tags" in answer["message"]
