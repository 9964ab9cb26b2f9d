"""Where the embedded broker and Apache Kafka are known to differ: each line is shown on both.

docs/reference/broker-differences.md says why. A line that no longer differs is to leave both places.
"""

from __future__ import annotations

import re
import struct
import uuid
from pathlib import Path
from typing import Any

import pytest
from crc32c import crc32c

from mesh_platform.broker.settings import SETTINGS
from mesh_platform.brokers import RunningBroker
from tests.conformance.answers import (
    CONFIGS,
    CREATE,
    EDIT_CONFIGS,
    EDIT_USERS,
    FETCH,
    METADATA,
    PRODUCE,
    VERSIONS,
    World,
    ask,
    codes,
    create,
    filled,
    raw,
)
from tests.unit.broker_kit import Item, batch

PAGE = Path(__file__).parents[2] / "docs/reference/broker-differences.md"
TOPIC, BROKER, LOGGERS, GROUP = 2, 4, 8, 32
FAILED = "unknown_server_error"


def changed(*places: tuple[int, str, int]) -> bytes:
    """A batch with numbers of its header changed, and the checksum made right again."""
    data = bytearray(batch([Item(value=b"long enough to be taken for two")]))
    for at, form, value in places:
        struct.pack_into(form, data, at, value)
    struct.pack_into(">I", data, 17, crc32c(bytes(data[21:])))
    return bytes(data)


def line(says: str, kafka: str, embedded: str, api: int, version: int, **values: Any) -> Any:
    return pytest.param(kafka, embedded, api, version, values, id=says)


def produced(says: str, kafka: str, embedded: str, *records: bytes) -> Any:
    parts = [{"index": 0, "records": data} for data in records]
    topics = [{"name": "<topic>", "partition_data": parts}]
    return line(says, kafka, embedded, PRODUCE, 12, acks=-1, timeout=5_000, topic_data=topics)


def edited(says: str, kafka: str, embedded: str, kind: int, name: str, key: str, how: int = 0) -> Any:
    rows = [{"name": key, "config_operation": how, "value": "1000"}]
    resources = [{"resource_type": kind, "resource_name": name, "configs": rows}]
    return line(says, kafka, embedded, EDIT_CONFIGS, 1, resources=resources, validate_only=True)


def described(says: str, kind: int, name: str) -> Any:
    resources = [{"resource_type": kind, "resource_name": name, "configuration_keys": ["x"]}]
    return line(says, "none", "invalid_request", CONFIGS, 4, resources=resources)


PART = {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1 << 20, "current_leader_epoch": -1}
FETCHED = [{"topic_id": "<id>", "partitions": [PART]}]
USER = {"name": "made", "mechanism": 1, "iterations": 4096, "salt": b"salt", "salted_password": b"p" * 32}
LINES = [
    produced("a partition twice", "none", "none none", batch(), batch()),
    produced("an unknown codec", FAILED, "invalid_record", changed((21, ">h", 7))),
    produced("what a batch holds", FAILED, "none", changed((21, ">h", 4))),
    produced(
        "how many records a batch holds", "invalid_record", "none", changed((23, ">i", 1), (57, ">i", 2))
    ),
    line(
        "an unknown isolation level",
        FAILED,
        "none none",
        FETCH,
        18,
        max_wait=0,
        min_bytes=1,
        isolation_level=9,
        topics=FETCHED,
    ),
    line(
        "internal topics",
        "invalid_request",
        "none",
        CREATE,
        7,
        topics=[{"name": "__cluster_metadata", "num_partitions": 1, "replication_factor": 1}],
        timeout=5_000,
        validate_only=True,
    ),
    edited("a setting of the broker", "none", "invalid_request", BROKER, "1", "log.retention.ms"),
    edited("an unknown operation", FAILED, "invalid_config", TOPIC, "<topic>", "retention.ms", how=9),
    described("loggers", LOGGERS, "1"),
    described("settings of groups", GROUP, "g"),
]


@pytest.mark.parametrize(("kafka", "embedded", "api", "version", "values"), LINES)
def test_an_answer_differs(
    broker: RunningBroker, world: World, kafka: str, embedded: str, api: int, version: int, values: Any
) -> None:
    with raw(broker) as connection:
        found = ask(connection, api, version, **filled(values, world))
    assert " ".join(sorted(codes(found))) == (kafka if broker.kind == "kafka" else embedded)


def test_a_user_is_made_or_refused(broker: RunningBroker) -> None:
    with raw(broker) as connection:
        made = codes(ask(connection, EDIT_USERS, 0, upsertions=[USER]))
        gone = codes(ask(connection, EDIT_USERS, 0, deletions=[{"name": "made", "mechanism": 1}]))
    nowhere = (["unsupported_sasl_mechanism"], ["resource_not_found"])
    assert (made, gone) == ((["none"], ["none"]) if broker.kind == "kafka" else nowhere)


def test_fetch_sessions_are_kept_or_declined(broker: RunningBroker, world: World) -> None:
    values = {"max_wait": 0, "min_bytes": 1, "session_epoch": 0, "topics": FETCHED}
    with raw(broker) as connection:
        found = ask(connection, FETCH, 18, **filled(values, world))
    assert bool(found.session_id) is (broker.kind == "kafka")


def test_features_are_those_of_a_kraft_node_or_none(broker: RunningBroker) -> None:
    with raw(broker) as connection:
        found = ask(connection, VERSIONS, 4, client_software_name="test", client_software_version="1")
    assert bool(found.finalized_features) is (broker.kind == "kafka")
    assert found.finalized_features_epoch >= 0


def test_a_batch_is_compressed_anew_or_stays_as_it_was_sent(broker: RunningBroker) -> None:
    name, sent = f"codec.{uuid.uuid4().hex}", batch()
    with raw(broker) as connection:
        topic_id = create(connection, name, compression_type="gzip")
        part = {"name": name, "partition_data": [{"index": 0, "records": sent}]}
        assert codes(ask(connection, PRODUCE, 12, acks=-1, timeout=5_000, topic_data=[part])) == ["none"]
        wanted = [{"topic_id": topic_id, "partitions": [PART]}]
        (topic,) = ask(connection, FETCH, 18, max_wait=0, min_bytes=1, topics=wanted).responses
    records = topic.partitions[0].records
    assert (records[16:] == sent[16:]) is (broker.kind == "embedded")


def test_the_first_members_are_waited_for_as_told(broker: RunningBroker) -> None:
    key = "group.initial.rebalance.delay.ms"
    wanted = [{"resource_type": BROKER, "resource_name": "1", "configuration_keys": [key]}]
    with raw(broker) as connection:
        (found,) = ask(connection, CONFIGS, 4, resources=wanted).results
    # The tests' Kafka is told not to wait at all; left alone it waits for 3 s.
    assert found.configs[0].value == ("0" if broker.kind == "kafka" else "100")


def test_an_array_of_negative_size_is_none_or_no_request(broker: RunningBroker) -> None:
    with raw(broker) as connection:
        connection.send_frame(struct.pack(">hhihi", METADATA, 1, 7, -1, -2))
        assert bool(connection.read_frame()) is (broker.kind == "kafka")


def test_the_page_names_every_setting_that_does_nothing_and_no_other() -> None:
    table = PAGE.read_text("utf-8").split("## Settings that do nothing")[1].split("## Bounds")[0]
    first_cells = "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    named = re.findall(r"`([a-z0-9.]+)`", first_cells)
    assert sorted(named) == sorted(n for n, setting in SETTINGS.items() if "Taken and kept" in setting.says)
