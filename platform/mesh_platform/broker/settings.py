"""Topic settings: the ones Kafka has, their defaults and what values they take."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["boolean", "string", "int", "long", "double", "list"]
#: The number of each kind in a DescribeConfigs answer.
KIND_NUMBER: Mapping[Kind, int] = {"boolean": 1, "string": 2, "int": 3, "long": 5, "double": 6, "list": 7}
_LONG_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Setting:
    """One topic setting; `accepts` tells whether a text is a value of it."""

    default: str
    kind: Kind
    accepts: Callable[[str], bool]


def _whole(kind: Literal["int", "long"], default: int, low: int) -> Setting:
    high = _LONG_MAX if kind == "long" else 2**31 - 1
    return Setting(
        str(default), kind, lambda v: bool(re.fullmatch(r"-?\d{1,19}", v)) and low <= int(v) <= high
    )


def _ratio(default: str) -> Setting:
    return Setting(default, "double", lambda v: bool(re.fullmatch(r"0(\.\d+)?|1(\.0+)?", v)))


def _one_of(default: str, *values: str, kind: Kind = "string") -> Setting:
    return Setting(default, kind, lambda v: v in values)


def _policies(value: str) -> bool:
    return {part.strip() for part in value.split(",")} <= {"delete", "compact"}


SETTINGS: Mapping[str, Setting] = {
    "cleanup.policy": Setting("delete", "list", _policies),
    "compression.type": _one_of("producer", "producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"),
    "delete.retention.ms": _whole("long", 86_400_000, 0),
    "file.delete.delay.ms": _whole("long", 60_000, 0),
    "flush.messages": _whole("long", _LONG_MAX, 1),
    "flush.ms": _whole("long", _LONG_MAX, 0),
    "index.interval.bytes": _whole("int", 4096, 0),
    "max.compaction.lag.ms": _whole("long", _LONG_MAX, 1),
    "max.message.bytes": _whole("int", 1_048_588, 0),
    "message.timestamp.after.max.ms": _whole("long", 3_600_000, 0),
    "message.timestamp.before.max.ms": _whole("long", _LONG_MAX, 0),
    "message.timestamp.type": _one_of("CreateTime", "CreateTime", "LogAppendTime"),
    "min.cleanable.dirty.ratio": _ratio("0.5"),
    "min.compaction.lag.ms": _whole("long", 0, 0),
    "min.insync.replicas": _whole("int", 1, 1),
    "preallocate": _one_of("false", "false", "true", kind="boolean"),
    "retention.bytes": _whole("long", -1, -(2**63)),
    "retention.ms": _whole("long", 604_800_000, -1),
    "segment.bytes": _whole("int", 1_073_741_824, 1_048_576),
    "segment.index.bytes": _whole("int", 10_485_760, 4),
    "segment.jitter.ms": _whole("long", 0, 0),
    "segment.ms": _whole("long", 604_800_000, 1),
    "unclean.leader.election.enable": _one_of("false", "false", "true", kind="boolean"),
}


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """A topic's own settings over the defaults."""

    own: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.own.get(name, SETTINGS[name].default)

    def number(self, name: str) -> int:
        return int(self[name])

    @property
    def policies(self) -> frozenset[str]:
        return frozenset(part.strip() for part in self["cleanup.policy"].split(","))

    @property
    def uses_append_time(self) -> bool:
        return self["message.timestamp.type"] == "LogAppendTime"


def refusal(name: str, value: str | None) -> str | None:
    """Why this setting cannot be, or None."""
    setting = SETTINGS.get(name)
    if setting is None:
        return f"Unknown topic config name: {name}"
    if value is None:
        return f"Null value not supported for topic configs: {name}"
    if not setting.accepts(value):
        return f"Invalid value {value} for configuration {name}"
    return None
