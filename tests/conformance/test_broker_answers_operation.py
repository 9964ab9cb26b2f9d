"""What operators and clients ask about the cluster, by error code: the same on both brokers."""

from __future__ import annotations

from typing import Any

from mesh_platform.brokers import RunningBroker
from tests.conformance.answers import (
    ACLS,
    CLUSTER,
    DESCRIBE_TOPICS,
    EDIT_USERS,
    ELECT,
    FOLDERS,
    METADATA,
    MOVE,
    MOVES,
    NEW_ACLS,
    NO_ACLS,
    NOBODY,
    QUOTAS,
    UNSUPPORTED,
    USERS,
    VERSIONS,
    World,
    case,
    check,
    rows,
)


def elect(says: str, expected: str, kind: int, topic: str, partition: int = 0) -> Any:
    wanted = [{"topic": topic, "partitions": [partition]}]
    values = {"election_type": kind, "topic_partitions": wanted, "timeout": 5_000}
    return case(f"elect {says}", ELECT, 2, expected, **values)


def move(
    says: str, expected: str, replicas: list[int] | None, topic: str = "<topic>", partition: int = 0
) -> Any:
    parts = [{"partition_index": partition, "replicas": replicas}]
    return case(
        f"move {says}", MOVE, 1, expected, topics=[{"name": topic, "partitions": parts}], timeout=5_000
    )


ANY = {"pattern_type_filter": 1, "operation": 1, "permission_type": 1, "resource_type_filter": 1}
NEW_ACL = {
    "resource_type": 2,
    "resource_name": "t",
    "principal": "User:x",
    "host": "*",
    "operation": 3,
    "permission_type": 3,
}
OPERATED = [
    elect("where nothing is to elect", "election_not_needed none", 0, "<topic>"),
    elect("in need", "election_not_needed none", 1, "<topic>"),
    elect("by no known way", "invalid_request invalid_request", 7, "<topic>"),
    elect("what is not there", "none unknown_topic_or_partition", 0, "nope"),
    elect("a partition that is not there", "none unknown_topic_or_partition", 0, "<topic>", 9),
    move("to where it is", "none none", [1]),
    move("back what never moved", "no_reassignment_in_progress none", None),
    move("to a stranger", "invalid_replica_assignment none", [2]),
    move("to nobody", "invalid_replica_assignment none", []),
    move("a topic that is not there", "none unknown_topic_or_partition", [1], "nope"),
    move("a partition that is not there", "none unknown_topic_or_partition", None, partition=9),
    case("moves that go on", MOVES, 0, "none", topics=None),
    case("folders of all", FOLDERS, 4, "none none", topics=[]),
    case(
        "folders of what is not there", FOLDERS, 4, "none none", topics=[{"topic": "nope", "partitions": [0]}]
    ),
    case("permissions", ACLS, 3, "security_disabled", **ANY),
    case("new permissions", NEW_ACLS, 3, "security_disabled security_disabled", creations=[NEW_ACL] * 2),
    case("fewer permissions", NO_ACLS, 3, "security_disabled", filters=[ANY]),
    case("quotas", QUOTAS, 1, "none"),
    case("quotas of nothing known", QUOTAS, 1, UNSUPPORTED, components=[{"entity_type": "x"}]),
    case("all users", USERS, 0, "none", users=None),
    case(
        "some users",
        USERS,
        0,
        "duplicate_resource none resource_not_found",
        users=[{"name": "x"}, {"name": "x"}, {"name": "y"}],
    ),
    case(
        "users away",
        EDIT_USERS,
        0,
        "resource_not_found unacceptable_credential unsupported_sasl_mechanism",
        deletions=[
            {"name": "x", "mechanism": 1},
            {"name": "", "mechanism": 1},
            {"name": "y", "mechanism": 9},
        ],
    ),
    case("the cluster", CLUSTER, 2, "none", endpoint_type=1),
    case("the cluster's controllers", CLUSTER, 2, "mismatched_endpoint_type", endpoint_type=2),
    case("the cluster's unknown", CLUSTER, 2, "unsupported_endpoint_type", endpoint_type=9),
    case(
        "metadata by name",
        METADATA,
        12,
        "invalid_topic_exception invalid_topic_exception none none none unknown_topic_or_partition",
        topics=[{"name": name, "topic_id": None} for name in ("<topic>", "<topic>", "nope", "a b", "")],
    ),
    case(
        "metadata by id",
        METADATA,
        12,
        "none none none unknown_topic_id",
        topics=[{"name": None, "topic_id": topic_id} for topic_id in ("<id>", NOBODY, None)],
    ),
    case(
        "metadata by id and a wrong name",
        METADATA,
        12,
        "none none none",
        topics=[{"name": "x", "topic_id": "<id>"}],
    ),
    case("metadata of no topic", METADATA, 12, "", topics=[]),
    case(
        "topics described",
        DESCRIBE_TOPICS,
        0,
        "invalid_topic_exception none none none unknown_topic_or_partition",
        topics=[{"name": name} for name in ("<topic>", "nope", "a b")],
    ),
    case("versions for a client without a name", VERSIONS, 3, "invalid_request", client_software_version="1"),
    case(
        "versions for a client with a bad name",
        VERSIONS,
        4,
        "invalid_request",
        client_software_name="a b!",
        client_software_version="1",
    ),
]


@rows(*OPERATED)
def test_an_answer_has_these_codes(
    broker: RunningBroker, world: World, api: int, version: int, expected: str, values: Any
) -> None:
    check(broker, world, api, version, expected, values)
