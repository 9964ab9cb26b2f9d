"""Settings read and changed, by error code: the same on both brokers."""

from __future__ import annotations

from typing import Any

from mesh_platform.brokers import RunningBroker
from tests.conformance.answers import (
    BAD_NAME,
    CONFIGS,
    EDIT_CONFIGS,
    RESOURCES,
    UNSUPPORTED,
    World,
    case,
    check,
    rows,
)


def configs(says: str, expected: str, kind: int, name: str, *more: str) -> Any:
    named = [{"resource_type": kind, "resource_name": n, "configuration_keys": ["x"]} for n in (name, *more)]
    return case(f"configs of {says}", CONFIGS, 4, expected, resources=named)


def edit(
    says: str, expected: str, *entries: tuple[str, int, str | None], kind: int = 2, name: str = "<topic>"
) -> Any:
    rows = [{"name": key, "config_operation": how, "value": value} for key, how, value in entries]
    resource = {"resource_type": kind, "resource_name": name, "configs": rows}
    return case(f"edit {says}", EDIT_CONFIGS, 1, expected, resources=[resource], validate_only=True)


SET, REMOVE, APPEND = 0, 1, 2
ONE = ("retention.ms", SET, "1000")
SETTINGS = [
    configs("a topic", "none", 2, "<topic>"),
    configs("a topic that is not there", "unknown_topic_or_partition", 2, "nope"),
    configs("a topic without a name", BAD_NAME, 2, ""),
    configs("the broker", "none", 4, "1"),
    configs("all brokers", "none", 4, ""),
    configs("another broker", "invalid_request", 4, "9"),
    configs("a broker without a number", "invalid_request", 4, "x"),
    configs("another broker's loggers", "invalid_request", 8, "9"),
    configs("client metrics", "none", 16, "m"),
    configs("what is nothing", "invalid_request", 99, "x"),
    edit("a setting", "none", ONE),
    edit("a setting twice", "invalid_request", ONE, ONE),
    edit("a setting that is not there", "invalid_config", ("nope", SET, "1")),
    edit("away a setting that is not there", "none", ("nope", REMOVE, None)),
    edit("a setting to nothing", "invalid_request", ("retention.ms", SET, None)),
    edit("more onto a number", "invalid_config", ("retention.ms", APPEND, "1")),
    edit(
        "lags that cannot be",
        "invalid_config",
        ("min.compaction.lag.ms", SET, "100"),
        ("max.compaction.lag.ms", SET, "50"),
    ),
    edit("a topic that is not there", "unknown_topic_or_partition", ONE, name="nope"),
    edit("all topics", "invalid_request", ONE, name=""),
    edit("another broker", "invalid_request", ONE, kind=4, name="9"),
    edit(
        "the number of partitions of new topics",
        "invalid_request",
        ("num.partitions", SET, "3"),
        kind=4,
        name="1",
    ),
    edit("what is nothing", "invalid_request", ONE, kind=99),
    case("list resources", RESOURCES, 1, "none"),
    case("list resources in v0", RESOURCES, 0, "none"),
    case("list resources of what is nothing", RESOURCES, 1, UNSUPPORTED, resource_types=[99]),
]
VALUES = {
    "cleanup.policy": ("", "compact, delete", "delete,delete", "!none", "!DELETE"),
    "compression.gzip.level": ("-1", "9", "!0", "!10"),
    "compression.lz4.level": ("1", "17", "!18"),
    "compression.type": ("zstd", "producer", "!GZIP"),
    "compression.zstd.level": ("-131072", "22", "!23"),
    "file.delete.delay.ms": ("0", "!-1"),
    "flush.messages": ("1", "!0"),
    "index.interval.bytes": ("0", "!-1"),
    "leader.replication.throttled.replicas": ("", "*", "0:1,1:1", "!x"),
    "local.retention.ms": ("-2", "5", "!-3"),
    "max.compaction.lag.ms": ("1", "!0"),
    "max.message.bytes": ("0", "!99999999999"),
    "message.downconversion.enable": ("!true",),
    "message.format.version": ("!3.0",),
    "message.timestamp.type": ("LogAppendTime", "!logappendtime"),
    "min.cleanable.dirty.ratio": ("0.7e0", "1", "!1.1", "!x"),
    "min.insync.replicas": ("2", "!0"),
    "preallocate": ("TRUE", "!yes"),
    "remote.log.copy.disable": ("true",),
    "remote.storage.enable": ("!true",),
    "retention.bytes": ("-5",),
    "retention.ms": (" 5", "+5", "-1", "!-2", "!"),
    "segment.bytes": ("1048576", "!1000"),
    "segment.index.bytes": ("4", "!3"),
    "segment.jitter.ms": ("0", "!-1"),
    "segment.ms": ("1", "!0"),
}
TAKEN = [
    edit(
        f"{key} to {value.lstrip('!')!r}",
        "invalid_config" if value.startswith("!") else "none",
        (key, SET, value.removeprefix("!")),
    )
    for key, values in VALUES.items()
    for value in values
]


@rows(*SETTINGS, *TAKEN)
def test_an_answer_has_these_codes(
    broker: RunningBroker, world: World, api: int, version: int, expected: str, values: Any
) -> None:
    check(broker, world, api, version, expected, values)
