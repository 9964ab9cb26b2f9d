"""The registry's client gets along with every registry of this API: the same sentences for each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mesh.adapters.http import Http
from mesh.adapters.registry_answers import Requests
from mesh.adapters.registry_copies import RegistryReader
from mesh.adapters.registry_http import HttpRegistry
from mesh.adapters.registry_migration import RegistryWriter
from mesh.errors import RegistryError
from mesh.migration import RegistryCopy, migration
from mesh.schema import AvroSchema, parse_schema
from mesh.writers import UNKNOWN_SCHEMA
from tests.conformance.apicurio import apicurio
from tests.conformance.declared import fresh_name
from tests.conftest import require
from tests.unit.registry_wire import REGISTRIES, RegistryWire

MONEY = '{"type":"record","name":"Money","namespace":"shop","fields":[{"name":"cents","type":"long"}]}'
ORDER = '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"price","type":"Money"}]}'


@pytest.fixture(scope="module")
def real_apicurio(java: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Requests]:
    with apicurio(java, require("mvn"), tmp_path_factory.mktemp("apicurio")) as url:
        http = Http(url, "", name="schema registry")
        yield http
        http.close()


@pytest.fixture(params=[*REGISTRIES, pytest.param("real", marks=pytest.mark.kafka, id="real-apicurio")])
def http(request: pytest.FixtureRequest) -> Requests:
    """HTTP to each registry in turn."""
    if request.param == "real":
        found: Requests = request.getfixturevalue("real_apicurio")
        return found
    return RegistryWire(REGISTRIES[request.param])


@pytest.fixture
def registry(http: Requests) -> HttpRegistry:
    return HttpRegistry(http)


@pytest.fixture
def subject() -> str:
    return f"tests.{fresh_name()}.v1-value"


def record(*fields: str, name: str = "R") -> AvroSchema:
    """A record of integers."""
    parts = [{"name": one, "type": "int"} for one in fields]
    return parse_schema(json.dumps({"type": "record", "name": name, "fields": parts}))


def test_a_schema_is_found_by_its_id(http: Requests, registry: HttpRegistry, subject: str) -> None:
    schema_id = registry.register(subject, record("a"))
    assert HttpRegistry(http).schema(schema_id) == record("a")
    assert HttpRegistry(http).schema_id(subject, record("a")) == schema_id


def test_registering_again_gives_the_same_id(registry: HttpRegistry, subject: str) -> None:
    assert registry.register(subject, record("a")) == registry.register(subject, record("a"))


def test_an_id_that_nobody_has_is_unknown_and_not_an_outage(registry: HttpRegistry) -> None:
    with pytest.raises(RegistryError) as caught:
        registry.schema(987_654)
    assert caught.value.registry_code == UNKNOWN_SCHEMA


def test_a_schema_that_the_subject_does_not_hold_is_not_found(registry: HttpRegistry, subject: str) -> None:
    registry.register(subject, record("a"))
    with pytest.raises(RegistryError) as caught:
        registry.schema_id(subject, record("b"))
    assert caught.value.status == 404


def test_a_schema_that_would_break_readers_is_refused(registry: HttpRegistry, subject: str) -> None:
    registry.register(subject, record("a"))
    registry.set_level(subject, "BACKWARD")
    assert registry.refusal(subject, record("b"))
    with pytest.raises(RegistryError) as caught:
        registry.register(subject, record("b"))
    assert caught.value.status == 409


def test_a_schema_that_fits_meets_no_refusal(registry: HttpRegistry, subject: str) -> None:
    assert registry.refusal(subject, record("a")) is None
    registry.register(subject, record("a"))
    assert registry.refusal(subject, record("a")) is None


def test_subjects_are_seen_with_level_and_versions(registry: HttpRegistry, subject: str) -> None:
    registry.register(subject, record("a"))
    registry.set_level(subject, "NONE")
    registry.register(subject, record("b"))
    found = registry.subjects([], [subject])[subject]
    assert found.level == "NONE"
    assert [version.schema for version in found.versions] == [record("a"), record("b")]
    assert registry.subjects([subject], []) == {subject: found}


def test_a_subject_that_is_gone_may_be_deleted_again(registry: HttpRegistry, subject: str) -> None:
    schema_id = registry.register(subject, record("a"))
    registry.delete_subject(subject)
    registry.delete_subject(subject)
    facts = registry.subjects([subject], []).get(subject)
    assert facts is None or facts.versions == ()
    assert registry.schema(schema_id) == record("a")


def test_a_schema_with_references_is_read_whole(http: Requests, registry: HttpRegistry, subject: str) -> None:
    name = fresh_name().replace("-", "")
    money, order = MONEY.replace("shop", name), ORDER.replace("shop", name)
    registry.register(subject, parse_schema(money))
    body = {
        "schema": order,
        "schemaType": "AVRO",
        "references": [{"name": f"{name}.Money", "subject": subject, "version": 1}],
    }
    status, answer = http.request("POST", f"/subjects/{subject}-order/versions", body)
    assert status == 200
    schema = registry.schema(answer["id"])
    assert (schema.fullname, set(schema.names)) == (f"{name}.Order", {f"{name}.Money", f"{name}.Order"})


def test_its_schemas_come_to_a_mesh_with_their_ids(
    http: Requests, registry: HttpRegistry, subject: str
) -> None:
    registry.register(subject, record("a"))
    registry.set_level(subject, "NONE")
    schema_id = registry.register(subject, record("b"))
    copy = RegistryReader(http).copy()
    versions = tuple(version for version in copy.versions if version.subject == subject)
    settings = {scope: one for scope, one in copy.settings.items() if scope == subject}
    target = RegistryWire()
    mine = HttpRegistry(target)
    steps = migration(RegistryCopy(versions, settings), RegistryReader(target).copy())
    RegistryWriter(target).carry_out(steps, lambda step: None)
    assert mine.schema(schema_id) == record("b")
    assert mine.subjects([subject], [])[subject].level == "NONE"
    assert [version.version for version in RegistryReader(target).copy().versions] == [1, 2]
