"""Topics made, deleted and grown, by error code: the same on both brokers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_platform.brokers import RunningBroker
from tests.conformance.answers import BAD_NAME, CREATE, DELETE, GROW, NOBODY, World, case, check, rows


def new(says: str, expected: str, *topics: Mapping[str, Any], validate_only: bool = True) -> Any:
    usual = {"num_partitions": 1, "replication_factor": 1}
    wanted = [usual | topic for topic in topics]
    values = {"topics": wanted, "timeout": 5_000, "validate_only": validate_only}
    return case(f"create {says}", CREATE, 7, expected, **values)


def on(*nodes: tuple[int, list[int]]) -> Mapping[str, Any]:
    assignments = [{"partition_index": index, "broker_ids": ids} for index, ids in nodes]
    return {"name": "new", "num_partitions": -1, "replication_factor": -1, "assignments": assignments}


def having(key: str, value: str | None) -> Mapping[str, Any]:
    return {"name": "new", "configs": [{"name": key, "value": value}]}


CREATED = [
    new("a topic", "none", {"name": "new"}),
    new("one that exists", "topic_already_exists", {"name": "<topic>"}),
    new(
        "one twice, and another", "invalid_request none", {"name": "new"}, {"name": "new"}, {"name": "other"}
    ),
    *(
        new(f"a name like {name[:5]!r}", BAD_NAME, {"name": name})
        for name in ("", ".", "..", "a b", "é", "x" * 250)
    ),
    new("no partitions", "invalid_partitions", {"name": "new", "num_partitions": 0}),
    new("less than no partitions", "invalid_partitions", {"name": "new", "num_partitions": -2}),
    new("the usual partitions", "none", {"name": "new", "num_partitions": -1, "replication_factor": -1}),
    new("no replicas", "invalid_replication_factor", {"name": "new", "replication_factor": 0}),
    new("two replicas", "invalid_replication_factor", {"name": "new", "replication_factor": 2}),
    new("an assignment", "none", on((0, [1]))),
    new("an assignment and replicas", "invalid_request", on((0, [1])) | {"replication_factor": 1}),
    new("an assignment with a gap", "invalid_replica_assignment", on((1, [1]))),
    new("an assignment to nobody", "invalid_replica_assignment", on((0, []))),
    new("an assignment to a stranger", "invalid_replica_assignment", on((0, [2]))),
    new("an assignment to one node twice", "invalid_replica_assignment", on((0, [1, 1]))),
    new("an assignment of one partition twice", "invalid_replica_assignment", on((0, [1]), (0, [1]))),
    new("a setting that is not there", "invalid_config", having("nope", "1")),
    new("a setting without a value", "invalid_config", having("retention.ms", None)),
    new("a setting with a wrong value", "invalid_config", having("retention.ms", "soon")),
]


def delete(says: str, expected: str, *topics: tuple[str | None, Any]) -> Any:
    wanted = [{"name": name, "topic_id": topic_id} for name, topic_id in topics]
    return case(f"delete {says}", DELETE, 6, expected, topics=wanted, timeout=5_000)


def grow(says: str, expected: str, *counts: int, topic: str = "<topic>", nodes: Any = None) -> Any:
    assignments = None if nodes is None else [{"broker_ids": ids} for ids in nodes]
    wanted = [{"name": topic, "count": count, "assignments": assignments} for count in counts]
    return case(f"grow {says}", GROW, 3, expected, topics=wanted, timeout=5_000, validate_only=True)


CHANGED = [
    delete(
        "what is not there", "unknown_topic_id unknown_topic_or_partition", ("nope", None), (None, NOBODY)
    ),
    delete("without a name", "unknown_topic_or_partition", ("", None)),
    delete("neither name nor id", "invalid_request", (None, None)),
    delete("both name and id", "invalid_request", ("<topic>", "<id>")),
    delete("a topic twice", "invalid_request", ("<topic>", None), ("<topic>", None)),
    grow("a topic", "none", 4),
    grow("to as many", "invalid_partitions", 2),
    grow("to fewer", "invalid_partitions", 1),
    grow("to less than none", "invalid_partitions", -1),
    grow("a topic twice", "invalid_request", 3, 4),
    grow("what is not there", "unknown_topic_or_partition", 3, topic="nope"),
    grow("with too many assignments", "invalid_replica_assignment", 3, nodes=[[1], [1]]),
    grow("with no assignments", "invalid_replica_assignment", 3, nodes=[]),
    grow("to a stranger", "invalid_replica_assignment", 3, nodes=[[2]]),
    grow("to nobody", "invalid_replica_assignment", 3, nodes=[[]]),
]


@rows(*CREATED, *CHANGED)
def test_an_answer_has_these_codes(
    broker: RunningBroker, world: World, api: int, version: int, expected: str, values: Any
) -> None:
    check(broker, world, api, version, expected, values)
