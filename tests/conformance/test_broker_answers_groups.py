"""Groups and their committed offsets, by error code: the same on both brokers."""

from __future__ import annotations

from typing import Any

from mesh_platform.brokers import RunningBroker
from tests.conformance.answers import (
    BEAT,
    COMMIT,
    DELETE_GROUPS,
    DELETE_OFFSETS,
    DESCRIBE_GROUPS,
    FIND,
    JOIN,
    LEAVE,
    LONG,
    NOBODY,
    OFFSETS,
    SYNC,
    World,
    case,
    check,
    rows,
)


def commit(says: str, expected: str, group: str, *, version: int = 9, **values: Any) -> Any:
    parts = values.pop("parts", [{"partition_index": 0, "committed_offset": 3}])
    named = {"topic_id" if version >= 10 else "name": values.pop("topic", "<topic>")}
    topics = [named | {"partitions": parts}]
    return case(f"commit {says}", COMMIT, version, expected, group_id=group, topics=topics, **values)


EPOCH = "generation_id_or_member_epoch"
MEMBER = {"member_id": "<member>", EPOCH: "<generation>"}
COMMITTED = [
    commit("by anyone to a group without members", "none", "<group>"),
    commit("by id", "none", "<group>", version=10, topic="<id>"),
    commit("to an id that is not there", "unknown_topic_id", "<group>", version=10, topic=NOBODY),
    commit("to no id", "unknown_topic_id", "<group>", version=10, topic=None),
    commit("to a topic that is not there", "unknown_topic_or_partition", "<group>", topic="nope"),
    commit("to a topic without a name", "unknown_topic_or_partition", "<group>", topic=""),
    commit(
        "the good ones of several",
        "none offset_metadata_too_large unknown_topic_or_partition unknown_topic_or_partition",
        "<group>",
        parts=[
            {"partition_index": 9, "committed_offset": 1},
            {"partition_index": -1, "committed_offset": 1},
            {"partition_index": 0, "committed_offset": 1, "committed_metadata": "x" * 4097},
            {"partition_index": 0, "committed_offset": 3, "committed_metadata": None},
        ],
    ),
    commit("of a generation to no group", "group_id_not_found", "nope", member_id="x", **{EPOCH: 3}),
    commit(
        "of a generation to no group in v8",
        "illegal_generation",
        "nope",
        version=8,
        member_id="x",
        **{EPOCH: 3},
    ),
    commit(
        "of a generation to a group without members",
        "unknown_member_id",
        "<group>",
        member_id="x",
        **{EPOCH: 3},
    ),
    commit("by a member", "none", "<joined>", **MEMBER),
    commit("by a stranger", "unknown_member_id", "<joined>"),
    commit("of another generation", "illegal_generation", "<joined>", **MEMBER | {EPOCH: 99}),
    case("commit nothing", COMMIT, 9, "", group_id="<group>", topics=[]),
    case("offsets of a group", OFFSETS, 7, "none none", group_id="<group>", topics=None),
    case(
        "offsets by name",
        OFFSETS,
        7,
        "none none none none",
        group_id="<group>",
        topics=[
            {"name": "<topic>", "partition_indexes": [0, -1]},
            {"name": "nope", "partition_indexes": [0]},
        ],
    ),
    case(
        "offsets by id",
        OFFSETS,
        10,
        "none none unknown_topic_id",
        groups=[
            {
                "group_id": "<group>",
                "topics": [
                    {"topic_id": "<id>", "partition_indexes": [0]},
                    {"topic_id": NOBODY, "partition_indexes": [0]},
                ],
            }
        ],
    ),
    case("offsets of no group", OFFSETS, 8, "", groups=[]),
    case("offsets of a group that is not there", OFFSETS, 7, "none", group_id="nope", topics=None),
]


def delete_offsets(says: str, expected: str, group: str, topic: str = "<topic>", partition: int = 1) -> Any:
    topics = [{"name": topic, "partitions": [{"partition_index": partition}]}]
    return case(f"delete offsets {says}", DELETE_OFFSETS, 0, expected, group_id=group, topics=topics)


def beat(says: str, expected: str, group: str, generation: Any = 1, member: str = "x") -> Any:
    named = {"group_id": group, "generation_id": generation, "member_id": member}
    return case(f"heartbeat {says}", BEAT, 4, expected, **named)


def sync(says: str, expected: str, group: str, **values: Any) -> Any:
    given = {"generation_id": 1, "member_id": "x", "protocol_type": "consumer", "protocol_name": "range"}
    return case(f"sync {says}", SYNC, 5, expected, group_id=group, **given | values)


def leave(says: str, expected: str, group: str, version: int = 4) -> Any:
    gone: dict[str, Any] = {"members": [{"member_id": "x"}, {"member_id": "", "group_instance_id": "i"}]}
    return case(
        f"leave {says}",
        LEAVE,
        version,
        expected,
        group_id=group,
        **(gone if version > 2 else {"member_id": "x"}),
    )


def enter(says: str, expected: str, group: str = "newcomers", **values: Any) -> Any:
    given = {"session_timeout": 10_000, "rebalance_timeout": 10_000, "protocol_type": "consumer"}
    given["protocols"] = [{"name": "range", "metadata": b""}]  # type: ignore[assignment]
    return case(f"join {says}", JOIN, 9, expected, group_id=group, **given | values)


GROUPS = [
    delete_offsets("of a group", "none none", "<group>"),
    delete_offsets(
        "of a partition that is not there", "none unknown_topic_or_partition", "<group>", partition=9
    ),
    delete_offsets("of a topic that is not there", "none unknown_topic_or_partition", "<group>", "nope"),
    delete_offsets("of a topic that is subscribed to", "group_subscribed_to_topic none", "<joined>"),
    delete_offsets("of no group", "group_id_not_found", "nope"),
    delete_offsets("of a group without a name", "invalid_group_id", ""),
    beat("of a member", "none", "<joined>", "<generation>", "<member>"),
    beat("of another generation", "illegal_generation", "<joined>", 99, "<member>"),
    beat("of a stranger", "unknown_member_id", "<joined>", "<generation>"),
    beat("to no group", "unknown_member_id", "nope"),
    beat("to a group without a name", "invalid_group_id", ""),
    sync("with no group", "unknown_member_id", "nope"),
    sync("with a group without a name", "invalid_group_id", ""),
    sync("without a protocol", "inconsistent_group_protocol", "nope", protocol_name=None),
    sync("of a stranger", "unknown_member_id", "<joined>"),
    sync("of another generation", "illegal_generation", "<joined>", member_id="<member>", generation_id=99),
    sync(
        "by another protocol",
        "inconsistent_group_protocol",
        "<joined>",
        member_id="<member>",
        generation_id="<generation>",
        protocol_name="roundrobin",
    ),
    leave("no group", "none unknown_member_id unknown_member_id", "nope"),
    leave("no group in v2", "unknown_member_id", "nope", 2),
    leave("as strangers", "none unknown_member_id unknown_member_id", "<joined>"),
    leave("a group without a name", "invalid_group_id", ""),
    enter("for the first time", "member_id_required"),
    enter("a group without a name", "invalid_group_id", ""),
    enter("for a moment", "invalid_session_timeout", session_timeout=5),
    enter("for ever", "invalid_session_timeout", session_timeout=LONG + 1),
    enter("as a stranger", "unknown_member_id", member_id="x"),
    enter("as a stranger to others", "unknown_member_id", "<joined>", member_id="x"),
    enter("without protocols", "inconsistent_group_protocol", protocols=[]),
    enter("without a type", "inconsistent_group_protocol", protocol_type=""),
    enter("by another protocol", "inconsistent_group_protocol", "<joined>", protocols=[{"name": "other"}]),
    enter("with another type", "inconsistent_group_protocol", "<joined>", protocol_type="connect"),
    case(
        "describe groups",
        DESCRIBE_GROUPS,
        6,
        "group_id_not_found none none",
        groups=["<group>", "<joined>", "nope"],
    ),
    case("describe a group that is not there in v5", DESCRIBE_GROUPS, 5, "none", groups=["nope"]),
    case(
        "delete groups",
        DELETE_GROUPS,
        2,
        "group_id_not_found non_empty_group",
        groups_names=["nope", "<joined>"],
    ),
    case("delete a group twice", DELETE_GROUPS, 2, "group_id_not_found", groups_names=["nope", "nope"]),
    case(
        "find the coordinator of an unknown kind",
        FIND,
        6,
        "invalid_request",
        key_type=9,
        coordinator_keys=["x"],
    ),
    case(
        "find the coordinator of share groups", FIND, 6, "invalid_request", key_type=2, coordinator_keys=["x"]
    ),
]


@rows(*COMMITTED, *GROUPS)
def test_an_answer_has_these_codes(
    broker: RunningBroker, world: World, api: int, version: int, expected: str, values: Any
) -> None:
    check(broker, world, api, version, expected, values)
