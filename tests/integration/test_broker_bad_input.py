"""Bad input by name, over a socket: Kafka's own error or a closed connection, and nobody else notices."""

from __future__ import annotations

import struct
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker import group as groups
from mesh_platform.broker.membership import GroupRefusal, Joining
from tests.fuzz.asking import ask, frame
from tests.fuzz.batches import bomb, packed
from tests.fuzz.campaign import resident, sockets
from tests.integration.broker_inside import Inside, inside, until
from tests.integration.test_broker_process import api_versions, make_topic, produce, read_all
from tests.unit.broker_kit import Item, Process, Raw, batch, broker, request_frame, request_kind

LONG_MAX, LONG_MIN = 2**63 - 1, -(2**63)
PRODUCE, FETCH, LIST_OFFSETS, METADATA, OFFSET_COMMIT, OFFSET_FETCH = 0, 1, 2, 3, 8, 9
JOIN_GROUP, SYNC_GROUP, DESCRIBE_GROUPS, LIST_GROUPS, CREATE_TOPICS = 11, 14, 15, 16, 19
DELETE_RECORDS, EPOCH_ENDS, DESCRIBE_CONFIGS = 21, 23, 32


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One broker for what leaves nothing behind; at the end it still serves."""
    with broker(tmp_path_factory.mktemp("bad-input") / "data") as process:
        make_topic(process)
        yield process
        with Raw(process.ready) as raw:
            assert api_versions(raw).error_code == ErrorCode.none


@pytest.fixture
def raw(shared: Process) -> Iterator[Raw]:
    """A connection, beside one that must not notice."""
    with Raw(shared.ready) as raw, Raw(shared.ready) as neighbour:
        api_versions(raw)  # answered: the broker has taken both connections
        api_versions(neighbour)
        yield raw
        assert api_versions(neighbour).error_code == ErrorCode.none


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Process]:
    with broker(tmp_path / "data") as process:
        yield process


def settled(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def join(
    raw: Raw, group: str, *, version: int = 3, metadata: bytes = b"m", **fields: Any
) -> Mapping[str, Any]:
    return ask(raw, JOIN_GROUP, version, **joining(group, metadata, **fields))


def joining(group: str, metadata: bytes = b"m", **fields: Any) -> Mapping[str, Any]:
    protocols = [{"name": "range", "metadata": metadata}]
    asked = {"group_id": group, "session_timeout": 6_000, "rebalance_timeout": 5_000}
    return asked | {"protocol_type": "consumer", "protocols": protocols} | fields


def commit(raw: Raw, group: str, *parts: Mapping[str, Any], topic: str = "t") -> list[int]:
    topics = [{"name": topic, "partitions": parts}]
    asked = {"group_id": group, "generation_id_or_member_epoch": -1, "topics": topics}
    answer = ask(raw, OFFSET_COMMIT, 7, **asked)
    return [part["error_code"] for topic in answer["topics"] for part in topic["partitions"]]


def fetch(offset: int, *, wait_ms: int = 0, isolation: int = 0) -> Mapping[str, Any]:
    part = {"partition": 0, "fetch_offset": offset, "partition_max_bytes": 1 << 20}
    topics = [{"topic": "t", "partitions": [part]}]
    asked = {"max_wait": wait_ms, "min_bytes": 1 << 20, "max_bytes": 1 << 20, "isolation_level": isolation}
    return asked | {"replica_id": -1, "topics": topics}


def at_time(timestamp: int, **fields: Any) -> Mapping[str, Any]:
    part = {"partition_index": 0, "timestamp": timestamp}
    return {"replica_id": -1, "topics": [{"name": "t", "partitions": [part]}]} | fields


# What is no request


@pytest.mark.parametrize(
    "sent",
    [
        bytes.fromhex("16030100ba010000b60303") + bytes(180),
        bytes.fromhex("16030300ba010000b60303") + bytes(180),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
    ids=["tls 1.0", "tls 1.2", "http 2", "ssh"],
)
def test_the_first_bytes_of_another_protocol_close_the_connection(raw: Raw, sent: bytes) -> None:
    raw.socket.sendall(sent)
    assert raw.read_frame() == b""


def test_null_for_an_array_that_must_be_closes_the_connection(raw: Raw) -> None:
    raw.send_frame(struct.pack(">hhihi", DESCRIBE_GROUPS, 0, 1, -1, -1))
    assert raw.read_frame() == b""


def test_more_items_than_a_request_may_have_close_the_connection(raw: Raw) -> None:
    names = struct.pack(">i", limits.REQUEST_ITEMS + 1) + b"\0\0" * (limits.REQUEST_ITEMS + 1)
    raw.send_frame(struct.pack(">hhih", DESCRIBE_GROUPS, 0, 1, -1) + names)
    assert raw.read_frame() == b""


def test_clients_that_vanish_in_the_middle_of_a_request_leave_nothing_behind(
    shared: Process, raw: Raw
) -> None:
    before = sockets(shared)
    whole = request_frame(request_kind(18, 0)())
    for cut in range(1, len(whole) + 4):
        with Raw(shared.ready) as leaving:
            leaving.socket.sendall((struct.pack(">i", len(whole)) + whole)[:cut])
    assert settled(lambda: sockets(shared) <= before)


def test_clients_that_say_nothing_are_in_nobodys_way(shared: Process, raw: Raw) -> None:
    before = sockets(shared)
    silent = [Raw(shared.ready) for _ in range(200)]
    assert api_versions(raw).error_code == ErrorCode.none
    for client in silent:
        client.socket.close()
    assert settled(lambda: sockets(shared) <= before)


@pytest.mark.parametrize(
    ("key", "version", "asked"),
    [(FETCH, 4, fetch(0, wait_ms=2**31 - 1)), (JOIN_GROUP, 3, joining("left", rebalance_timeout=2**31 - 1))],
    ids=["fetch", "join"],
)
def test_a_client_that_goes_away_while_it_waits_gives_its_connection_up(
    running: Process, key: int, version: int, asked: Mapping[str, Any]
) -> None:
    with Raw(running.ready) as first:
        ask(first, CREATE_TOPICS, 2, topics=[{"name": "t", "num_partitions": 1, "replication_factor": 1}])
        if key == JOIN_GROUP:  # a member that will not come back: whoever joins waits for it
            assert (
                join(first, "left", rebalance_timeout=2**31 - 1, session_timeout=1_800_000)["error_code"] == 0
            )
        before = sockets(running)
        with Raw(running.ready) as leaving:
            leaving.send_frame(frame(key, version, **asked))
            assert settled(lambda: sockets(running) == before + 1)
        assert settled(lambda: sockets(running) == before)


# Texts and names


def test_a_name_as_long_as_a_text_may_be_is_refused_in_an_answer(raw: Raw) -> None:
    topic = {"name": "a" * limits.TEXT_BYTES, "num_partitions": 1, "replication_factor": 1}
    (answer,) = ask(raw, CREATE_TOPICS, 2, topics=[topic])["topics"]
    assert answer["error_code"] == ErrorCode.invalid_topic_exception


def test_a_client_whose_name_is_as_long_as_a_text_may_be_joins_a_group(raw: Raw) -> None:
    asked = frame(JOIN_GROUP, 3, **joining("long"))
    name = b"c" * limits.TEXT_BYTES
    raw.send_frame(asked[:8] + struct.pack(">h", len(name)) + name + asked[14:])
    assert struct.unpack_from(">iih", raw.read_frame())[2] == ErrorCode.none


@pytest.mark.parametrize(
    ("key", "version", "asked", "answers"),
    [
        (METADATA, 4, {"topics": [{"name": "t"}] * 50_000}, "topics"),
        (DESCRIBE_GROUPS, 4, {"groups": ["g"] * 50_000}, "groups"),
        (
            DESCRIBE_CONFIGS,
            1,
            {"resources": [{"resource_type": 2, "resource_name": "t"}] * 50_000},
            "results",
        ),
        (OFFSET_FETCH, 8, {"groups": [{"group_id": "g", "topics": None}] * 50_000}, "groups"),
    ],
    ids=["metadata", "describe groups", "describe configs", "offset fetch"],
)
def test_what_is_named_fifty_thousand_times_is_answered_once(
    raw: Raw, key: int, version: int, asked: Mapping[str, Any], answers: str
) -> None:
    assert len(ask(raw, key, version, **asked)[answers]) == 1


def test_a_partition_named_twice_in_one_look_up_is_an_invalid_request(raw: Raw) -> None:
    parts = [{"partition_index": 0, "timestamp": -1}] * 2
    answer = ask(raw, LIST_OFFSETS, 2, replica_id=-1, topics=[{"name": "t", "partitions": parts}])
    codes = [part["error_code"] for part in answer["topics"][0]["partitions"]]
    assert set(codes) == {ErrorCode.invalid_request}


@pytest.mark.parametrize(
    ("key", "version", "name", "part", "fields"),
    [
        (PRODUCE, 3, "index", {"records": b""}, {"acks": -1, "transactional_id": None}),
        (FETCH, 4, "partition", {"partition_max_bytes": 1}, {"max_bytes": 1, "min_bytes": 0}),
        (LIST_OFFSETS, 2, "partition_index", {"timestamp": 0}, {}),
        (OFFSET_COMMIT, 7, "partition_index", {}, {"group_id": "g", "generation_id_or_member_epoch": -1}),
        (DELETE_RECORDS, 0, "partition_index", {"offset": 0}, {}),
        (EPOCH_ENDS, 2, "partition", {"leader_epoch": 0}, {}),
    ],
    ids=["produce", "fetch", "list offsets", "offset commit", "delete records", "epoch ends"],
)
def test_ten_thousand_partitions_in_one_request_are_answered_one_by_one(
    raw: Raw, key: int, version: int, name: str, part: Mapping[str, Any], fields: Mapping[str, Any]
) -> None:
    parts = [{name: index, **part} for index in range(1, 10_001)]
    topic = {"name": "t", "topic": "t", "partitions": parts, "partition_data": parts}
    answer = ask(raw, key, version, **fields, topics=[topic], topic_data=[topic])
    (answered,) = answer.get("topics") or answer["responses"]
    found = answered.get("partitions") or answered["partition_responses"]
    assert [item["error_code"] for item in found] == [ErrorCode.unknown_topic_or_partition] * 10_000


# Record batches


def test_a_batch_that_unpacks_to_a_gigabyte_is_too_large_for_a_compacted_topic(running: Process) -> None:
    make_topic(running, config={"cleanup.policy": "compact"})
    before = resident(running)
    with Raw(running.ready) as raw:
        assert produce(raw, bomb(1000 << 20))[0] == ErrorCode.message_too_large
        assert produce(raw, batch()) == (ErrorCode.none, 0)
    assert resident(running) - before < 3 * limits.UNPACKED_BATCH_BYTES


def test_a_batch_that_unpacks_to_a_gigabyte_is_corrupt_for_a_look_up_by_time(running: Process) -> None:
    make_topic(running)
    before = resident(running)
    with Raw(running.ready) as raw:
        assert produce(raw, bomb(1000 << 20)) == (ErrorCode.none, 0)
        ((part,),) = (topic["partitions"] for topic in ask(raw, LIST_OFFSETS, 2, **at_time(1))["topics"])
        assert part["error_code"] == ErrorCode.corrupt_message
    assert resident(running) - before < 3 * limits.UNPACKED_BATCH_BYTES


@pytest.mark.parametrize(
    "data",
    [
        packed(b"x" * 20, 5),
        packed(batch()[61:], 0, count=2**20),
        packed(b"x", 1, count=limits.BATCH_RECORDS + 1),
    ],
    ids=["a codec that is none", "more records than bytes", "too many records"],
)
def test_a_batch_whose_header_cannot_be_true_is_an_invalid_record(raw: Raw, data: bytes) -> None:
    assert produce(raw, data)[0] == ErrorCode.invalid_record


def test_sequences_go_round_at_their_end(running: Process) -> None:
    make_topic(running)
    last = 2**31 - 1
    with Raw(running.ready) as raw:
        codes = [produce(raw, batch(producer=(5, 0, number))) for number in (last, 0, 2, -1)]
    assert codes[:2] == [(ErrorCode.none, 0), (ErrorCode.none, 1)]
    assert [code for code, _ in codes[2:]] == [
        ErrorCode.out_of_order_sequence_number,
        ErrorCode.invalid_record,
    ]


@pytest.mark.parametrize(
    "producer", [(5, -1, 0), (5, 0, -1), (5, -(2**15), 0), (LONG_MAX, 0, -(2**31))], ids=str
)
def test_an_idempotent_batch_without_epoch_or_sequence_is_an_invalid_record(
    raw: Raw, producer: tuple[int, int, int]
) -> None:
    assert produce(raw, batch(producer=producer))[0] == ErrorCode.invalid_record


def test_a_time_at_the_end_of_all_times_is_refused(raw: Raw) -> None:
    assert produce(raw, batch([Item(timestamp=LONG_MAX)]))[0] == ErrorCode.invalid_timestamp


# Numbers at their edges


@pytest.mark.parametrize("offset", [LONG_MAX, LONG_MIN, -1])
def test_a_fetch_beyond_all_offsets_is_out_of_range(raw: Raw, offset: int) -> None:
    (topic,) = ask(raw, FETCH, 4, **fetch(offset))["responses"]
    assert topic["partitions"][0]["error_code"] == ErrorCode.offset_out_of_range


@pytest.mark.parametrize("offset", [LONG_MAX, LONG_MIN, -2])
def test_records_cannot_be_deleted_beyond_all_offsets(raw: Raw, offset: int) -> None:
    topics = [{"name": "t", "partitions": [{"partition_index": 0, "offset": offset}]}]
    (topic,) = ask(raw, DELETE_RECORDS, 0, topics=topics)["topics"]
    assert topic["partitions"][0]["error_code"] == ErrorCode.offset_out_of_range


@pytest.mark.parametrize(
    ("timestamp", "code"), [(LONG_MAX, ErrorCode.none), (LONG_MIN, ErrorCode.unsupported_version)]
)
def test_a_look_up_at_the_end_of_all_times_is_answered(raw: Raw, timestamp: int, code: ErrorCode) -> None:
    (topic,) = ask(raw, LIST_OFFSETS, 2, **at_time(timestamp))["topics"]
    assert topic["partitions"][0]["error_code"] == code


@pytest.mark.parametrize(
    ("version", "code"), [(11, ErrorCode.invalid_request), (12, ErrorCode.unknown_topic_id)]
)
def test_a_topic_without_a_name_is_answered_as_the_version_can(
    raw: Raw, version: int, code: ErrorCode
) -> None:
    topics = [{"name": None, "topic_id": uuid.UUID(int=9)}]
    (topic,) = ask(raw, METADATA, version, topics=topics)["topics"]
    assert (topic["error_code"], topic["name"]) == (code, "" if version < 12 else None)


@pytest.mark.parametrize("offset", [LONG_MAX, LONG_MIN])
def test_a_commit_of_any_offset_is_given_back_as_it_was(raw: Raw, offset: int) -> None:
    part = {"partition_index": 0, "committed_offset": offset, "committed_metadata": None}
    assert commit(raw, "edges", part) == [ErrorCode.none]
    asked = {"group_id": "edges", "topics": [{"name": "t", "partition_indexes": [0]}]}
    (topic,) = ask(raw, OFFSET_FETCH, 5, **asked)["topics"]
    assert topic["partitions"][0]["committed_offset"] == offset


@pytest.mark.parametrize("isolation", [-1, -128, 2, 127])
def test_an_isolation_level_that_is_none_reads_what_is_there(raw: Raw, isolation: int) -> None:
    (topic,) = ask(raw, FETCH, 4, **fetch(0, isolation=isolation))["responses"]
    assert topic["partitions"][0]["error_code"] == ErrorCode.none


# Groups


def test_a_member_with_more_than_a_group_may_hold_is_refused(raw: Raw) -> None:
    huge = bytes(limits.GROUP_BYTES + 1)
    assert join(raw, "huge", metadata=huge)["error_code"] == ErrorCode.unknown_server_error
    assert join(raw, "huge", metadata=huge[:-1])["error_code"] == ErrorCode.none


def test_a_member_with_a_hundred_megabytes_is_refused_and_they_are_forgotten(running: Process) -> None:
    before = resident(running)
    with Raw(running.ready) as raw:
        huge = bytes(limits.REQUEST_BYTES - 1_000)
        assert join(raw, "huge", metadata=huge)["error_code"] == ErrorCode.unknown_server_error
        assert ask(raw, LIST_GROUPS, 0)["groups"] == []
    assert settled(lambda: resident(running) - before < limits.REQUEST_BYTES)


def test_assignments_of_more_than_a_group_may_hold_are_refused(raw: Raw) -> None:
    joined = join(raw, "assigned")
    who = {"group_id": "assigned", "generation_id": joined["generation_id"], "member_id": joined["member_id"]}
    codes = []
    for size in (limits.GROUP_BYTES + 1, limits.GROUP_BYTES):
        assignments = [{"member_id": joined["member_id"], "assignment": bytes(size)}]
        codes.append(ask(raw, SYNC_GROUP, 2, **who, assignments=assignments)["error_code"])
    assert codes == [ErrorCode.unknown_server_error, ErrorCode.none]


def test_a_commit_that_is_refused_leaves_no_group_behind(raw: Raw) -> None:
    part = {"partition_index": 0, "committed_offset": 1}
    for number in range(50):
        assert commit(raw, f"refused-{number}", part, topic="missing") == [
            ErrorCode.unknown_topic_or_partition
        ]
    listed = {item["group_id"] for item in ask(raw, LIST_GROUPS, 0)["groups"]}
    assert not any(name.startswith("refused-") for name in listed)


async def test_there_are_up_to_so_many_groups_and_the_next_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "GROUPS", 2)
    async with inside(tmp_path / "data") as here:
        for name in ("one", "two"):
            await here.node.coordinator.group(name).join(member(name))
        with pytest.raises(GroupRefusal) as refused:
            here.node.coordinator.group("three")
        assert refused.value.code == ErrorCode.group_max_size_reached
        assert here.node.coordinator.group("two").members


async def test_a_group_to_which_nobody_ever_came_is_forgotten(tmp_path: Path) -> None:
    async with inside(tmp_path / "data") as here:
        for number in range(50):
            with pytest.raises(GroupRefusal):  # it is told its id, and never comes back with it
                await here.node.coordinator.group(f"g{number}").join(
                    member("m", session_ms=10, needs_known_id=True)
                )
        assert len(here.node.coordinator.groups) == 50
        await until(lambda: not here.node.coordinator.groups)


async def test_a_static_member_that_waits_for_no_time_does_not_keep_the_broker_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []
    out_of_patience = groups.Group._out_of_patience
    monkeypatch.setattr(
        groups.Group, "_out_of_patience", lambda group: (turns.append(1), out_of_patience(group))[1]
    )
    async with inside(tmp_path / "data") as here:
        await joined_and_left_alone(here)
        await until(lambda: turns)
        ticks: list[int] = []
        await until(lambda: ticks.append(1) or len(ticks) > 20)
    assert len(turns) < 10  # without a pause it would be thousands


async def joined_and_left_alone(here: Inside) -> None:
    """A group of static members, of whom the only one there is asked to join again and does not."""
    group = here.node.coordinator.group("g")
    joined = await group.join(member("m", instance_id="i", rebalance_ms=5_000))
    await group.sync(joined.member_id, "i", joined.generation, {})
    group.members[joined.member_id].rebalance_ms = 0
    group._prepare()


def member(name: str, **fields: Any) -> Joining:
    wanted: dict[str, Any] = {
        "member_id": "",
        "instance_id": None,
        "client_id": name,
        "client_host": "/here",
        "session_ms": 6_000,
        "rebalance_ms": 5_000,
        "protocol_type": "consumer",
        "protocols": {"range": b""},
        "needs_known_id": False,
        "may_skip_assignment": False,
    }
    return Joining(**wanted | fields)


# Afterwards


def test_everything_is_there_after_all_of_it(running: Process) -> None:
    make_topic(running)
    with Raw(running.ready) as raw:
        produce(raw, batch([Item(value=b"before")]))
        for _ in range(100):
            with Raw(running.ready) as bad:
                bad.socket.sendall(b"\x7f" * 64)
        produce(raw, batch([Item(value=b"after")]))
    admin = AdminClient({"bootstrap.servers": running.bootstrap})
    assert list(admin.list_topics(timeout=10).topics) == ["t"]
    assert read_all(running) == [b"before", b"after"]
