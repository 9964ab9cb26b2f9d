"""Records in and out, and the places of offsets, by error code: the same on both brokers."""

from __future__ import annotations

import struct
from typing import Any

from crc32c import crc32c

from mesh_platform.brokers import RunningBroker
from tests.conformance.answers import (
    DELETE_RECORDS,
    EPOCH_END,
    FETCH,
    LIST_OFFSETS,
    NOBODY,
    PRODUCE,
    UNSUPPORTED,
    World,
    case,
    check,
    rows,
)
from tests.unit.broker_kit import Item, batch


def produce(
    says: str, expected: str, records: bytes, *, version: int = 12, acks: int = -1, **place: Any
) -> Any:
    to: dict[str, Any] = {"topic": "<topic>", "index": 0} | place
    named = {"topic_id" if version >= 13 else "name": to["topic"]}
    topic = named | {"partition_data": [{"index": to["index"], "records": records}]}
    return case(f"produce {says}", PRODUCE, version, expected, acks=acks, timeout=5_000, topic_data=[topic])


def edited(at: int, format_: str, value: int, *, proven: bool = True) -> bytes:
    """A batch with one number of its header changed, and the checksum made right again."""
    data = bytearray(batch())
    struct.pack_into(format_, data, at, value)
    if proven:
        struct.pack_into(">I", data, 17, crc32c(bytes(data[21:])))
    return bytes(data)


PRODUCED = [
    produce("by name", "none", batch()),
    produce("by id", "none", batch(), version=13, topic="<id>"),
    produce("to an id that is not there", "unknown_topic_id", batch(), version=13, topic=NOBODY),
    produce("to no id", "unknown_topic_id", batch(), version=13, topic=None),
    produce("to a topic that is not there", "unknown_topic_or_partition", batch(), topic="nope"),
    produce("to a topic without a name", "unknown_topic_or_partition", batch(), topic=""),
    produce("to a partition that is not there", "unknown_topic_or_partition", batch(), index=9),
    produce("to a negative partition", "unknown_topic_or_partition", batch(), index=-1),
    produce("with two acknowledgements", "invalid_required_acks", batch(), acks=2),
    produce("no batch", "invalid_record", b""),
    produce("two batches", "invalid_record", batch() * 2),
    produce("a torn batch", "invalid_record", batch()[:-1]),
    produce("less than a header", "invalid_record", batch()[:20]),
    produce("a wrong checksum", "corrupt_message", edited(60, ">b", 9, proven=False)),
    produce("an old format", "invalid_record", edited(16, ">b", 1)),
    produce("a format of the future", "corrupt_message", edited(16, ">b", 3)),
    produce("a length too small", "corrupt_message", edited(8, ">i", 10, proven=False)),
    produce("a negative length", "corrupt_message", edited(8, ">i", -10, proven=False)),
    produce("more records than offsets", "invalid_record", edited(57, ">i", 2)),
    produce("more offsets than records", "invalid_record", edited(23, ">i", 5)),
    produce("no records", "invalid_record", edited(57, ">i", 0)),
    produce("a negative number of records", "invalid_record", edited(57, ">i", -1)),
    produce("a control batch", "invalid_record", edited(21, ">h", 0x20)),
    produce("an offset that is not its to choose", "invalid_record", edited(0, ">q", 55)),
    produce("a compressed batch", "none", batch(gzip=True)),
    produce("too much", "message_too_large", batch([Item(value=b"x" * 1_100_000)])),
    produce("no key to a compacted topic", "invalid_record", batch([Item(key=None)]), topic="<compacted>"),
    case("produce nothing", PRODUCE, 12, "", acks=-1, timeout=5_000, topic_data=[]),
]


def fetch(says: str, expected: str, *, version: int = 18, topic: Any = "<id>", **values: Any) -> Any:
    part = {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1 << 20, "current_leader_epoch": -1}
    changed = {key: values.pop(key) for key in tuple(values) if key in part}
    named = {"topic_id" if version >= 13 else "topic": topic}
    topics = [named | {"partitions": [part | changed]}]
    return case(f"fetch {says}", FETCH, version, expected, max_wait=0, min_bytes=1, topics=topics, **values)


FETCHED = [
    fetch("by id", "none none"),
    fetch("by name", "none none", version=12, topic="<topic>"),
    fetch("an id that is not there", "none unknown_topic_id", topic=NOBODY),
    fetch("a topic that is not there", "none unknown_topic_or_partition", version=12, topic="nope"),
    fetch("a partition that is not there", "none unknown_topic_or_partition", partition=9),
    fetch("a negative partition", "none unknown_topic_or_partition", partition=-1),
    fetch("beyond the end", "none offset_out_of_range", fetch_offset=1 << 40),
    fetch("before the start", "none offset_out_of_range", fetch_offset=-1),
    fetch("of an epoch to come", "none unknown_leader_epoch", current_leader_epoch=5),
    fetch("with a session to begin", "none none", session_id=0, session_epoch=0),
    fetch("with a session that is not there", "fetch_session_id_not_found", session_id=55, session_epoch=3),
]


def place(says: str, version: int, expected: str, timestamp: int, **part: Any) -> Any:
    parts = [{"partition_index": 0, "timestamp": timestamp} | part]
    topics = [{"name": "<topic>", "partitions": parts}]
    return case(f"list offsets {says}", LIST_OFFSETS, version, expected, replica_id=-1, topics=topics)


PLACES = [
    place("of the start", 1, "none", -2),
    place("of the end", 1, "none", -1),
    place("of the largest time in v6", 6, UNSUPPORTED, -3),
    place("of the largest time", 7, "none", -3),
    place("of the local start in v7", 7, UNSUPPORTED, -4),
    place("of the local start", 8, "none", -4),
    place("of the tiered end in v8", 8, UNSUPPORTED, -5),
    place("of the tiered end", 9, "none", -5),
    place("of the first that is not tiered in v10", 10, UNSUPPORTED, -6),
    place("of the first that is not tiered", 11, "none", -6),
    place("of a time that means nothing", 11, UNSUPPORTED, -7),
    place("of a partition that is not there", 11, "unknown_topic_or_partition", -1, partition_index=9),
    place("of a negative partition", 11, "unknown_topic_or_partition", -1, partition_index=-1),
    place("of an epoch to come", 11, "unknown_leader_epoch", -1, current_leader_epoch=5),
    case(
        "list offsets of a partition twice",
        LIST_OFFSETS,
        11,
        "invalid_request",
        replica_id=-1,
        topics=[
            {"name": "<topic>", "partitions": [{"partition_index": 0, "timestamp": t} for t in (-1, -2)]}
        ],
    ),
    case(
        "the end of an epoch",
        EPOCH_END,
        4,
        "none none unknown_leader_epoch unknown_topic_or_partition",
        replica_id=-1,
        topics=[
            {
                "topic": "<topic>",
                "partitions": [
                    {"partition": 0, "current_leader_epoch": -1, "leader_epoch": 0},
                    {"partition": 0, "current_leader_epoch": -1, "leader_epoch": 5},
                    {"partition": 0, "current_leader_epoch": 5, "leader_epoch": 0},
                    {"partition": 9, "current_leader_epoch": -1, "leader_epoch": 0},
                ],
            }
        ],
    ),
]


def delete_records(says: str, expected: str, topic: str, *parts: tuple[int, int]) -> Any:
    wanted = [{"partition_index": index, "offset": offset} for index, offset in parts]
    topics = [{"name": topic, "partitions": wanted}]
    return case(f"delete records {says}", DELETE_RECORDS, 2, expected, topics=topics, timeout=5_000)


DELETED_RECORDS = [
    delete_records("before the first", "none", "<topic>", (1, 0)),
    delete_records("beyond the end", "offset_out_of_range", "<topic>", (1, 1 << 40)),
    delete_records("at a negative offset", "offset_out_of_range", "<topic>", (1, -5)),
    delete_records("of a topic that is not there", "unknown_topic_or_partition", "nope", (0, 0)),
    delete_records("of a partition that is not there", "unknown_topic_or_partition", "<topic>", (9, 0)),
    delete_records("of a compacted topic", "policy_violation", "<compacted>", (0, 0)),
]


@rows(*PRODUCED, *FETCHED, *PLACES, *DELETED_RECORDS)
def test_an_answer_has_these_codes(
    broker: RunningBroker, world: World, api: int, version: int, expected: str, values: Any
) -> None:
    check(broker, world, api, version, expected, values)
