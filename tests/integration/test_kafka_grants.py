"""Grants on an Apache Kafka with an authorizer: planned, given, seen again, and obeyed by the cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AclBindingFilter, AclOperation, AclPermissionType, AdminClient, ResourceType
from confluent_kafka.admin import ResourcePatternType as Pattern

from mesh.apply import apply
from mesh.connection import Mesh
from mesh.declaration import Declaration, SourceFile, declare
from mesh.plan import Plan, make_plan
from mesh.plan.changes import GrantAccess
from mesh.plan.drift import drift
from mesh_platform.brokers import RunningBroker
from mesh_platform.kafka.cluster import prepare
from mesh_platform.processes import LOOPBACK, free_ports
from tests.conformance.declared import CONTRACT, PRODUCT, platform_on

pytestmark = pytest.mark.kafka
TOPIC = "tests.grants.v1"
RIDES = CONTRACT.replace("tests", "trips").format(name="rides", version="1.0.0", more="")
READER = PRODUCT.replace("tests", "trips").format(name="rides") + (
    f"inputPorts:\n  - {{name: readings, version: 1.0.0, contractId: {TOPIC}}}\n"
)
#: The mesh signs in on the plain listener, as whom the cluster trusts; domains on the other, by password.
AUTHORIZER = """\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
listeners={listeners},SASL_PLAINTEXT://{domains}
advertised.listeners={advertised},SASL_PLAINTEXT://{domains}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config={jaas} required {users};
"""
USERS = 'user_tests="of-tests" user_trips="of-trips"'
JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule"


@pytest.fixture(scope="module")
def guarded(java: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Where the mesh connects, and where domains do."""
    folder = tmp_path_factory.mktemp("guarded")
    domains = f"{LOOPBACK}:{free_ports(1)[0]}"
    (node,) = prepare(folder, 1)
    file = folder / "kafka-1" / "node-1" / "server.properties"
    settings = dict(line.split("=", 1) for line in file.read_text().splitlines())
    addresses = {"listeners": settings["listeners"], "advertised": settings["advertised.listeners"]}
    more = AUTHORIZER.format(**addresses, domains=domains, jaas=JAAS, users=USERS)
    settings |= dict(line.split("=", 1) for line in more.splitlines())
    file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    with node:
        yield str(node.ready), domains


@pytest.fixture(scope="module")
def mesh(guarded: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with platform_on(guarded[0], tmp_path_factory.mktemp("platform")) as running:
        yield running


@pytest.fixture(scope="module")
def desired() -> Declaration:
    files = {
        "contracts/tests/grants.v1.odcs.yaml": CONTRACT.format(name="grants", version="1.0.0", more=""),
        "domains/tests/grants.odps.yaml": PRODUCT.format(name="grants"),
        "contracts/trips/rides.v1.odcs.yaml": RIDES,
        "domains/trips/rides.odps.yaml": READER,
    }
    return declare(SourceFile(file, text.encode()) for file, text in files.items()).require()


def planned(mesh: Mesh, desired: Declaration) -> Plan:
    return make_plan(desired, mesh.world().actual(desired))


@pytest.fixture(scope="module")
def granted(mesh: Mesh, desired: Declaration) -> Plan:
    """The first plan, carried out."""
    first = planned(mesh, desired)
    assert len(list(apply(first, mesh.world()))) == len(first.changes)
    return first


def signed_in(guarded: tuple[str, str], domain: str) -> dict[str, str | int | bool]:
    return {
        "bootstrap.servers": guarded[1],
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": domain,
        "sasl.password": f"of-{domain}",
        "log_level": 0,
    }


def written(guarded: tuple[str, str], domain: str, topic: str) -> KafkaError | None:
    outcome: list[KafkaError | None] = []
    producer = Producer({**signed_in(guarded, domain), "message.timeout.ms": 20_000})
    producer.produce(topic, b"x", partition=0, on_delivery=lambda error, _: outcome.append(error))
    assert producer.flush(30) == 0
    return outcome[0]


def refused_reading(guarded: tuple[str, str], domain: str, group: str) -> int | None:
    """The error code that reading the topic as a member of a group ends with; None when it reads."""
    settings = {**signed_in(guarded, domain), "group.id": group, "auto.offset.reset": "earliest"}
    consumer = Consumer(settings)
    consumer.subscribe([TOPIC])
    try:
        (record,) = consumer.consume(1, timeout=30)
        if (error := record.error()) is not None:
            return int(error.code())
        consumer.commit(record, asynchronous=False)
    except KafkaException as error:
        return int(error.args[0].code())
    finally:
        consumer.close()
    return None


def test_the_plan_of_a_cluster_with_an_authorizer_lists_the_grants(granted: Plan) -> None:
    shown = {str(change.grant) for change in granted.changes if isinstance(change, GrantAccess)}
    assert f"User:trips may read topic {TOPIC}" in shown
    assert "User:tests may write topic tests.*" in shown


def test_once_given_they_are_not_planned_again(mesh: Mesh, desired: Declaration, granted: Plan) -> None:
    assert planned(mesh, desired).changes == ()


def test_a_domain_writes_what_is_its_own(guarded: tuple[str, str], granted: Plan) -> None:
    assert written(guarded, "tests", TOPIC) is None


def test_a_reader_reads_what_its_input_port_names_and_commits(
    guarded: tuple[str, str], granted: Plan
) -> None:
    assert written(guarded, "tests", TOPIC) is None
    assert refused_reading(guarded, "trips", "trips.rides") is None


def test_a_reader_may_not_write(guarded: tuple[str, str], granted: Plan) -> None:
    error = written(guarded, "trips", TOPIC)
    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_reader_may_not_use_the_group_of_another_domain(guarded: tuple[str, str], granted: Plan) -> None:
    assert written(guarded, "tests", TOPIC) is None
    assert refused_reading(guarded, "trips", "tests.reports") == KafkaError.GROUP_AUTHORIZATION_FAILED


def test_a_grant_taken_away_by_hand_is_drift(
    guarded: tuple[str, str], mesh: Mesh, desired: Declaration, granted: Plan
) -> None:
    admin = AdminClient({"bootstrap.servers": guarded[0]})
    of_reader = AclBindingFilter(
        ResourceType.TOPIC,
        TOPIC,
        Pattern.LITERAL,
        "User:trips",
        None,
        AclOperation.READ,
        AclPermissionType.ANY,
    )
    for future in admin.delete_acls([of_reader]).values():
        assert len(future.result()) == 1
    found = drift(desired, mesh.world().actual(desired))
    assert any(f"topic {TOPIC}" in str(difference) for difference in found)
    for _ in apply(planned(mesh, desired), mesh.world()):
        pass
    assert planned(mesh, desired).changes == ()


def test_a_cluster_without_an_authorizer_has_no_grants_to_plan(kafka_broker: RunningBroker) -> None:
    from mesh.adapters.kafka_admin import KafkaAdmin

    assert KafkaAdmin(kafka_broker.bootstrap).grants(["User:tests"]) is None
