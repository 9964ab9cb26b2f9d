"""Grants as Kafka's ACL bindings; raises KafkaException as it comes."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from mesh.adapters.kafka_asking import TIMEOUT_SECONDS
from mesh.plan.access import Grant, Operation

if TYPE_CHECKING:
    from confluent_kafka.admin import AclBinding, AdminClient

AUTHORIZER = "authorizer.class.name"
_ANY_HOST = "*"


def grants_of(client: AdminClient, principals: Collection[str]) -> frozenset[Grant] | None:
    """What these principals may do from any host; None where the cluster shows no authorizer."""
    from confluent_kafka.admin import (
        AclBindingFilter,
        AclOperation,
        AclPermissionType,
        ResourcePatternType,
        ResourceType,
    )

    everything = AclBindingFilter(
        ResourceType.ANY,
        None,
        ResourcePatternType.ANY,
        None,
        None,
        AclOperation.ANY,
        AclPermissionType.ALLOW,
    )
    bindings = client.describe_acls(everything, request_timeout=TIMEOUT_SECONDS).result()
    # librdkafka takes SECURITY_DISABLED for an empty answer, so an empty one is asked about once more.
    if not bindings and not _authorizes(client):
        return None
    wanted = set(principals)
    return frozenset(g for b in bindings if b.principal in wanted and b.host == _ANY_HOST for g in _grants(b))


def _authorizes(client: AdminClient) -> bool:
    """Whether a broker says that it has an authorizer; one that hides it has none to plan for."""
    from confluent_kafka.admin import ConfigResource, ResourceType

    node = next(iter(client.list_topics(timeout=TIMEOUT_SECONDS).brokers))
    asked = [ConfigResource(ResourceType.BROKER, str(node))]
    for future in client.describe_configs(asked, request_timeout=TIMEOUT_SECONDS).values():
        shown = future.result().get(AUTHORIZER)
        return bool(shown is not None and shown.value)
    return False


def give(client: AdminClient, grant: Grant) -> None:
    """Create the binding of a grant; one that is there already stays."""
    from confluent_kafka.admin import (
        AclBinding,
        AclOperation,
        AclPermissionType,
        ResourcePatternType,
        ResourceType,
    )

    binding = AclBinding(
        ResourceType.TOPIC if grant.resource == "topic" else ResourceType.GROUP,
        grant.name,
        ResourcePatternType.PREFIXED if grant.pattern == "prefixed" else ResourcePatternType.LITERAL,
        grant.principal,
        _ANY_HOST,
        AclOperation.READ if grant.operation == "read" else AclOperation.WRITE,
        AclPermissionType.ALLOW,
    )
    for future in client.create_acls([binding], request_timeout=TIMEOUT_SECONDS).values():
        future.result()


def _grants(binding: AclBinding) -> list[Grant]:
    from confluent_kafka.admin import AclOperation, ResourcePatternType, ResourceType

    operations: dict[AclOperation, tuple[Operation, ...]] = {
        AclOperation.READ: ("read",),
        AclOperation.WRITE: ("write",),
        AclOperation.ALL: ("read", "write"),
    }
    if binding.restype not in (ResourceType.TOPIC, ResourceType.GROUP):
        return []
    return [
        Grant(
            binding.principal,
            operation,
            "topic" if binding.restype == ResourceType.TOPIC else "group",
            binding.name,
            "prefixed" if binding.resource_pattern_type == ResourcePatternType.PREFIXED else "literal",
        )
        for operation in operations.get(binding.operation, ())
    ]
