"""The unmodified official client refuses a bad event by the rule set that the registry serves it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka.schema_registry import RuleSet, Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.serde import RuleConditionError
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

from mesh.contract.avro import avro_schema
from mesh.contract.rule_targets import rule_set
from tests.agreement.cases import case
from tests.agreement.engines import to_cel
from tests.integration.served_registry import Served
from tests.unit.contract_kit import contract_of, field
from tests.unit.registry_twin import RegistryTwin

executors = pytest.importorskip(
    "confluent_kafka.schema_registry.rules.cel.cel_executor",
    reason="the official client's CEL needs protobuf and googleapis-common-protos",
    exc_type=ImportError,
)
TOPIC = "ops.flights.v1"
CONTEXT = SerializationContext(TOPIC, MessageField.VALUE)
GOOD = {"code": "UA1545", "delay": 5, "at": datetime(2013, 1, 1, tzinfo=UTC), "tags": ["a", "b"]}


@pytest.fixture
def serialise() -> Iterator[Any]:
    contract = contract_of(
        [
            field("code", required=True, logicalTypeOptions={"pattern": "^[A-Z0-9]+;?$"}),
            field("delay", "integer", logicalTypeOptions={"minimum": -60}),
            field("at", "timestamp", logicalTypeOptions={"minimum": "1987-10-01T00:00:00Z"}),
            field("tags", "array", items={"logicalType": "string", "logicalTypeOptions": {"maxLength": 3}}),
        ]
    )
    schema = avro_schema(contract)
    rules = RuleRegistry()
    rules.register_executor(executors.CelExecutor())
    with Served(RegistryTwin()) as served, SchemaRegistryClient({"url": served.url}) as client:
        registered = RuleSet.from_dict({"migrationRules": [], **rule_set(contract, schema)})
        client.register_schema(f"{TOPIC}-value", Schema(schema.text, "AVRO", [], None, registered))
        settings = {"auto.register.schemas": False, "use.latest.version": True}
        serializer = AvroSerializer(client, conf=settings, rule_registry=rules)
        yield lambda event: serializer(event, CONTEXT)


def test_a_good_event_is_serialised(serialise: Any) -> None:
    assert serialise(GOOD)[:1] == b"\x00"
    assert serialise({"code": "AB;"})[:1] == b"\x00"


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "lower"},
        {"delay": -61},
        {"at": datetime(1987, 9, 30, 23, 59, 59, tzinfo=UTC)},
        {"tags": ["a", "long"]},
    ],
)
def test_a_bad_event_is_refused_before_it_is_sent(serialise: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(SerializationError) as caught:
        serialise(GOOD | wrong)
    assert isinstance(caught.value.__cause__, RuleConditionError)
    assert str(caught.value.__cause__).startswith(next(iter(wrong)))


def test_the_client_hands_events_to_cel_as_the_agreement_test_does() -> None:
    for row in case(seed=0, rules=1, values=1).rows:
        assert repr(executors.msg_to_cel(dict(row))) == repr(to_cel(dict(row)))
