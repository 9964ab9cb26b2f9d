"""What the tests of single requests share: a world to ask about, and rows of which each is one sentence.

A row has a request, as plain values, and the names of all error codes that its answer holds, in alphabetical
order. Names in angle brackets stand for what the world has. The world is made once per module and broker;
no row changes it.
"""

from __future__ import annotations

import dataclasses
import struct
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from mesh_platform.brokers import RunningBroker
from tests.unit.broker_kit import Raw, request_of

World = Mapping[str, Any]
LONG = 1_800_000
BAD_NAME, UNSUPPORTED = "invalid_topic_exception", "unsupported_version"
NOBODY = uuid.UUID(int=77)
METADATA, PRODUCE, FETCH, LIST_OFFSETS, EPOCH_END, DELETE_RECORDS = 3, 0, 1, 2, 23, 21
COMMIT, OFFSETS, DELETE_OFFSETS = 8, 9, 47
FIND, JOIN, BEAT, LEAVE, SYNC, DESCRIBE_GROUPS, DELETE_GROUPS = 10, 11, 12, 13, 14, 15, 42
CREATE, DELETE, GROW, CONFIGS, EDIT_CONFIGS, RESOURCES = 19, 20, 37, 32, 44, 74
CLUSTER, DESCRIBE_TOPICS, FOLDERS, ELECT, MOVE, MOVES = 60, 75, 35, 43, 45, 46
ACLS, NEW_ACLS, NO_ACLS, QUOTAS, USERS, EDIT_USERS, VERSIONS = 29, 30, 31, 48, 50, 51, 18


@contextmanager
def raw(broker: RunningBroker) -> Iterator[Raw]:
    host, port = broker.bootstrap.split(":")
    with Raw({"host": host, "port": int(port)}) as connection:
        yield connection


def ask(connection: Raw, api: int, version: int, **values: Any) -> Any:
    return connection.ask(request_of(api, version, values))


def codes(answer: Any) -> list[str]:
    """The names of all error codes in an answer."""
    if isinstance(answer, tuple):
        return [name for item in answer for name in codes(item)]
    if not dataclasses.is_dataclass(answer):
        return []
    own = getattr(answer, "error_code", None)
    found = [] if own is None else [own.name]
    return found + [name for f in dataclasses.fields(answer) for name in codes(getattr(answer, f.name))]


def until(condition: Any, what: str) -> Any:
    """What comes to be true within 20 s: a Kafka broker learns of changes a moment later."""
    deadline = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def create(connection: Raw, name: str, **config: str) -> Any:
    """A topic of two partitions; answers its id once it can be written to."""
    configs = [{"name": key.replace("_", "."), "value": value} for key, value in config.items()]
    topic = {"name": name, "num_partitions": 2, "replication_factor": 1, "configs": configs}
    assert codes(ask(connection, CREATE, 7, topics=[topic], timeout=5_000)) == ["none"]

    parts = [{"partition_index": index, "timestamp": -1} for index in range(2)]
    ends = {"replica_id": -1, "topics": [{"name": name, "partitions": parts}]}

    def led() -> Any:
        (found,) = ask(connection, METADATA, 12, topics=[{"name": name, "topic_id": None}]).topics
        leads = codes(ask(connection, LIST_OFFSETS, 9, **ends)) == ["none"] * 2
        return found.topic_id if leads else None

    return until(led, "the topic did not come to have leaders")


def join(connection: Raw, group: str, topic: str) -> tuple[str, int]:
    """One member of a group, which holds a subscription; answers its id and generation."""
    metadata = struct.pack(">hih", 0, 1, len(topic)) + topic.encode() + struct.pack(">i", -1)
    values = {
        "group_id": group,
        "session_timeout": LONG,
        "rebalance_timeout": 60_000,
        "protocol_type": "consumer",
        "protocols": [{"name": "range", "metadata": metadata}],
    }
    member_id = ask(connection, JOIN, 9, **values).member_id
    joined = ask(connection, JOIN, 9, **values, member_id=member_id)
    share = {"member_id": member_id, "assignment": b""}
    named = {"group_id": group, "member_id": member_id, "generation_id": joined.generation_id}
    kind = {"protocol_type": "consumer", "protocol_name": "range"}
    assert codes(ask(connection, SYNC, 5, **named, **kind, assignments=[share])) == ["none"]
    return member_id, joined.generation_id


@contextmanager
def make_world(broker: RunningBroker) -> Iterator[World]:
    """Two topics, a group that has only commits, and one with a member; no case below changes them."""
    tail = uuid.uuid4().hex
    topic, compacted, group, joined = f"t.{tail}", f"c.{tail}", f"g.{tail}", f"j.{tail}"
    with raw(broker) as connection:
        topic_id = create(connection, topic)
        create(connection, compacted, cleanup_policy="compact")
        find = {"key_type": 0, "coordinator_keys": [group, joined]}
        until(lambda: codes(ask(connection, FIND, 4, **find)) == ["none"] * 2, "no coordinator")
        commit = [{"name": topic, "partitions": [{"partition_index": 0, "committed_offset": 3}]}]

        def committed() -> bool:
            return codes(ask(connection, COMMIT, 9, group_id=group, topics=commit)) == ["none"]

        until(committed, "the coordinator did not come to take commits")
        member, generation = join(connection, joined, topic)
        yield {
            "<topic>": topic,
            "<id>": topic_id,
            "<compacted>": compacted,
            "<group>": group,
            "<joined>": joined,
            "<member>": member,
            "<generation>": generation,
        }


def filled(value: Any, world: World) -> Any:
    if isinstance(value, Mapping):
        return {key: filled(item, world) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, world) for item in value]
    return world.get(value, value) if isinstance(value, str) else value


def case(says: str, api: int, version: int, expected: str, **values: Any) -> Any:
    return pytest.param(api, version, expected, values, id=says)


def check(broker: RunningBroker, world: World, api: int, version: int, expected: str, values: Any) -> None:
    """Ask, and compare the codes of the answer."""
    with raw(broker) as connection:
        found = ask(connection, api, version, **filled(values, world))
    assert " ".join(sorted(codes(found))) == expected


def rows(*cases: Any) -> Any:
    """A test of every row."""
    return pytest.mark.parametrize(("api", "version", "expected", "values"), cases)
