"""The gate over HTTP: the same for curl, the official client and `mesh apply`, on a whole platform."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from confluent_kafka.schema_registry import RuleSet, Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

from mesh.adapters.http import Http
from mesh.adapters.platform_http import HttpPlatform
from mesh.adapters.registry_http import HttpRegistry
from mesh.apply import apply
from mesh.contract.avro import avro_schema
from mesh.contract.rule_targets import rule_set
from mesh.declaration import Declaration
from mesh.errors import MeshError, RegistryError
from mesh.plan import make_plan
from mesh.plan.drift import drift
from mesh.schema import parse_schema
from mesh.world import World
from mesh_platform.app import Where, create_app
from mesh_platform.control import ControlPlane
from mesh_platform.log import SqliteLog
from mesh_platform.principals import Principals
from mesh_platform.profile import Profile
from mesh_platform.rights import Right
from mesh_platform.tokens import TokenFile
from tests.integration.app_served import served
from tests.unit.contract_kit import CONTRACT, FILE, replaced
from tests.unit.plan_kit import desired
from tests.unit.test_auth_platform import Blind
from tests.unit.twins import BrokerTwin

executors = pytest.importorskip(
    "confluent_kafka.schema_registry.rules.cel.cel_executor",
    reason="the official client's CEL needs protobuf and googleapis-common-protos",
    exc_type=ImportError,
)
OWN, NOW = "t" * 43, datetime(2026, 11, 2, tzinfo=UTC)
TOPIC = "ops.flights.v1"
SUBJECT = f"{TOPIC}-value"
CONTEXT = SerializationContext(TOPIC, MessageField.VALUE)
OTHER = '{"type":"record","name":"Flights","namespace":"ops","fields":[]}'


@dataclass
class Platform:
    """A platform that answers on a port, without a broker."""

    url: str
    file: TokenFile
    broker: BrokerTwin
    closing: contextlib.ExitStack

    def token(self, *rights: Right) -> str:
        return self.file.add(f"team-{len(self.file.issued())}", rights, NOW)

    def world(self, token: str) -> World:
        registry, platform = (
            Http(f"{self.url}/registry", token, name="registry"),
            Http(self.url, token, name=""),
        )
        for client in (registry, platform):
            self.closing.callback(client.close)
        return World(self.broker, HttpRegistry(registry), HttpPlatform(platform))

    def client(self, token: str) -> SchemaRegistryClient:
        return SchemaRegistryClient({"url": f"{self.url}/registry", "basic.auth.user.info": f"me:{token}"})

    def curl(self, method: str, path: str, token: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx2.request(method, f"{self.url}/registry{path}", json=body, headers=headers)
        return answer.status_code, answer.json()

    def apply(self, wanted: Declaration, token: str) -> None:
        world = self.world(token)
        list(apply(make_plan(wanted, world.actual(wanted, ["ops"]), ["ops"]), world))


def running(folder: Path, profile: Profile) -> Iterator[Platform]:
    file = TokenFile(folder / "tokens.json")
    control = ControlPlane(SqliteLog(folder / "control.db"))
    where = Where("b:1", "http://mesh", ("127.0.0.1",))
    app = create_app(control, Principals(OWN, file), where, Blind(), profile=profile)  # type: ignore[arg-type]
    with served(app) as url, contextlib.ExitStack() as closing:
        yield Platform(url, file, BrokerTwin(), closing)
    control.close()


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    yield from running(tmp_path, Profile.SERVER)


def approved() -> tuple[str, dict[str, Any]]:
    """The schema and the rules that the sample yields."""
    (contract,) = desired().contracts.values()
    schema = avro_schema(contract)
    return schema.text, rule_set(contract, schema)


def test_apply_registers_the_rules_of_a_contract_and_leaves_no_drift(platform: Platform) -> None:
    team = platform.token(Right.REGISTER)
    platform.apply(desired(), team)
    world = platform.world(team)
    assert make_plan(desired(), world.actual(desired(), ["ops"]), ["ops"]).changes == ()
    assert drift(desired(), world.survey(desired(), ["ops"])) == ()
    _, latest = platform.curl("GET", f"/subjects/{SUBJECT}/versions/latest", team)
    assert latest["ruleSet"]["domainRules"] == approved()[1]["domainRules"]


def test_a_client_refuses_a_bad_event_by_the_rules_that_apply_registered(platform: Platform) -> None:
    team = platform.token(Right.REGISTER)
    platform.apply(desired(), team)
    rules = RuleRegistry()
    rules.register_executor(executors.CelExecutor())
    settings = {"auto.register.schemas": False, "use.latest.version": True}
    with platform.client(platform.token(Right.READ)) as client:
        serialise = AvroSerializer(client, conf=settings, rule_registry=rules)
        good = {"flight_id": "UA1545", "delay": 5, "departed_at": NOW}
        assert serialise(good, CONTEXT)
        with pytest.raises(SerializationError):
            serialise(good | {"delay": -61}, CONTEXT)


@pytest.mark.parametrize("rules", [None, {"domainRules": [{"name": "mine", "type": "CEL", "expr": "true"}]}])
def test_every_way_in_meets_the_same_gate(platform: Platform, rules: dict[str, Any] | None) -> None:
    team = platform.token(Right.REGISTER)
    world = platform.world(team)
    (contract,) = desired().contracts.values()
    world.platform.declare_contract(contract.document.file, contract.document.text)
    text = OTHER if rules is None else approved()[0]
    body = {"schema": text} if rules is None else {"schema": text, "ruleSet": rules}
    status, answer = platform.curl("POST", f"/subjects/{SUBJECT}/versions", team, body)
    assert (status, answer["error_code"]) == (403, 40301)
    said = str(answer["message"])
    assert TOPIC in said
    assert f"mesh propose {contract.document.file}" in said
    with platform.client(team) as client, pytest.raises(SchemaRegistryError) as official:
        client.register_schema(SUBJECT, Schema.from_dict({**body, "schemaType": "AVRO"}))
    assert official.value.error_message == said
    with pytest.raises(RegistryError) as own:
        world.registry.register(SUBJECT, parse_schema(text), rules)
    assert own.value.what == said


def test_the_official_client_registers_exactly_what_was_approved(platform: Platform) -> None:
    team = platform.token(Right.REGISTER)
    (contract,) = desired().contracts.values()
    platform.world(team).platform.declare_contract(contract.document.file, contract.document.text)
    text, rules = approved()
    with platform.client(team) as client:
        given = RuleSet.from_dict({"migrationRules": [], **rules})
        assert client.register_schema(SUBJECT, Schema(text, "AVRO", [], None, given)) == 1


def test_unowned_subjects_are_closed_on_a_server_and_open_for_development(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> None:
    body = {"schema": '"string"'}
    status, answer = platform.curl("POST", "/subjects/mine-value/versions", OWN, body)
    assert (status, answer["error_code"]) == (403, 40301)
    for developing in running(tmp_path_factory.mktemp("dev"), Profile.DEVELOPMENT):
        assert developing.curl("POST", "/subjects/mine-value/versions", OWN, body)[0] == 200


def test_a_profile_decides_for_the_records_of_its_day_only(tmp_path: Path) -> None:
    for platform in running(tmp_path, Profile.DEVELOPMENT):
        assert platform.curl("POST", "/subjects/mine/versions", OWN, {"schema": '"string"'})[0] == 200
    for platform in running(tmp_path, Profile.SERVER):
        assert platform.curl("GET", "/subjects", OWN) == (200, ["mine"])


def test_a_team_keeps_its_contracts_level_and_may_not_loosen_it(platform: Platform) -> None:
    team, steward = platform.token(Right.REGISTER), platform.token(Right.SET_POLICY)
    platform.apply(desired(), team)
    path = f"/config/{SUBJECT}"
    status, answer = platform.curl("PUT", path, team, {"compatibility": "NONE"})
    assert (status, answer["error_code"]) == (403, 40302)
    assert platform.curl("DELETE", path, team)[0] == 403
    assert platform.curl("PUT", path, team, {"compatibility": "FULL"})[0] == 200
    assert platform.curl("PUT", f"/mode/{SUBJECT}", team, {"mode": "READONLY"})[0] == 403
    assert platform.curl("PUT", path, steward, {"compatibility": "NONE"})[0] == 200


def test_schemas_of_a_product_are_not_deleted_by_who_may_register(platform: Platform) -> None:
    team = platform.token(Right.REGISTER)
    platform.apply(desired(), team)
    with platform.client(team) as client:
        for delete in (
            lambda: client.delete_subject(SUBJECT),
            lambda: client.delete_version(SUBJECT, 1),
        ):
            with pytest.raises(SchemaRegistryError) as error:
                delete()
            assert (error.value.http_status_code, error.value.error_code) == (403, 40302)
    admin = platform.token(Right.ADMIN)
    assert platform.curl("DELETE", f"/subjects/{SUBJECT}", admin) == (200, [1])
    assert platform.curl("DELETE", f"/subjects/{SUBJECT}?permanent=true", admin) == (200, [1])


def test_mesh_apply_with_a_token_that_only_reads_says_which_right_it_lacks(platform: Platform) -> None:
    with pytest.raises(MeshError) as caught:
        platform.apply(desired(), platform.token(Right.READ))
    assert caught.value.error_code == "MESH-S040"
    assert "register" in caught.value.what
    assert caught.value.fix


def test_who_proposes_may_not_approve_without_the_right(platform: Platform) -> None:
    team, reviewer = platform.token(Right.REGISTER), platform.token(Right.APPROVE)
    platform.apply(desired(), team)
    text = replaced(CONTRACT, ("value: P400D", "value: P800D"), ("version: 1.0.0", "version: 1.1.0"))
    proposal = platform.world(team).platform.propose(FILE, text, "longer")
    answer = (proposal["number"], "approve", "agreed", proposal["sha256"])
    with pytest.raises(MeshError) as caught:
        platform.world(team).platform.decide(*answer)
    assert caught.value.error_code == "MESH-S040"
    decided = platform.world(reviewer).platform.decide(*answer)
    assert (proposal["proposed_by"], decided["decided_by"]) == ("team-0", "team-1")
