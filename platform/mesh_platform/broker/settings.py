"""Topic settings: those of Kafka, their defaults, the values they take, and what they mean to this broker."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["boolean", "string", "int", "long", "double", "list"]
#: The number of each kind in a DescribeConfigs answer.
KIND_NUMBER: Mapping[Kind, int] = {"boolean": 1, "string": 2, "int": 3, "long": 5, "double": 6, "list": 7}
_LONG_MAX, _INT_MAX = 2**63 - 1, 2**31 - 1
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,19}\s*")


@dataclass(frozen=True, slots=True)
class Setting:
    """One topic setting; `accepts` tells whether a text is a value of it, `says` what it means here."""

    default: str
    kind: Kind
    accepts: Callable[[str], bool]
    says: str


def _whole(kind: Literal["int", "long"], default: int, low: int, says: str, high: int = _LONG_MAX) -> Setting:
    most = min(high, _INT_MAX) if kind == "int" else high
    return Setting(str(default), kind, lambda v: bool(_WHOLE.fullmatch(v)) and low <= int(v) <= most, says)


def _one_of(default: str, *others: str, says: str) -> Setting:
    return Setting(default, "string", lambda v: v in (default, *others), says)


def _switch(says: str, *, only: str | None = None) -> Setting:
    taken = (only,) if only else ("true", "false")
    return Setting("false", "boolean", lambda v: v.strip().lower() in taken, says)


def _is_policy(value: str) -> bool:
    return _parts(value) <= {"delete", "compact"}


def _parts(value: str) -> frozenset[str]:
    return frozenset(part.strip() for part in value.split(",")) - {""}


def _is_ratio(value: str) -> bool:
    try:
        return "_" not in value and 0 <= float(value) <= 1
    except ValueError:
        return False


def _names_replicas(value: str) -> bool:
    return bool(re.fullmatch(r"\*|(\d+:\d+(,\d+:\d+)*)?", value))


_NO_TIERS = "Taken and kept; there is no tiered storage."
_NO_INDEX_FILES = "Taken and kept; the offset index has a size of its own here."
_PASSED_THROUGH = "Taken and kept; batches stay compressed as their producer sent them."
_NO_REPLICATION = "Taken and kept; there are no other replicas, so nothing is throttled."

SETTINGS: Mapping[str, Setting] = {
    "cleanup.policy": Setting(
        "delete",
        "list",
        _is_policy,
        "delete drops old segments, compact keeps the latest event of each key.",
    ),
    "compression.gzip.level": Setting(
        "-1", "int", lambda v: bool(re.fullmatch("-1|[1-9]", v)), _PASSED_THROUGH
    ),
    "compression.lz4.level": _whole("int", 9, 1, _PASSED_THROUGH, 17),
    "compression.type": _one_of(
        "producer", "uncompressed", "gzip", "snappy", "lz4", "zstd", says=_PASSED_THROUGH
    ),
    "compression.zstd.level": _whole("int", 3, -131_072, _PASSED_THROUGH, 22),
    "delete.retention.ms": _whole(
        "long", 86_400_000, 0, "A tombstone stays this long after its segment was last written to."
    ),
    "file.delete.delay.ms": _whole("long", 60_000, 0, "Taken and kept; files are deleted at once."),
    "flush.messages": _whole(
        "long", _LONG_MAX, 1, "Taken and kept; --fsync of the broker says when events are forced to the disk."
    ),
    "flush.ms": _whole(
        "long", _LONG_MAX, 0, "Taken and kept; --fsync of the broker says when events are forced to the disk."
    ),
    "follower.replication.throttled.replicas": Setting("", "list", _names_replicas, _NO_REPLICATION),
    "index.interval.bytes": _whole("int", 4096, 0, _NO_INDEX_FILES),
    "leader.replication.throttled.replicas": Setting("", "list", _names_replicas, _NO_REPLICATION),
    "local.retention.bytes": _whole("long", -2, -2, _NO_TIERS),
    "local.retention.ms": _whole("long", -2, -2, _NO_TIERS),
    "max.compaction.lag.ms": _whole(
        "long", _LONG_MAX, 1, "A segment is closed and compacted at the latest when it is this old."
    ),
    "max.message.bytes": _whole("int", 1_048_588, 0, "A larger record batch is refused."),
    "message.timestamp.after.max.ms": _whole(
        "long", 3_600_000, 0, "An event from further in the future is refused."
    ),
    "message.timestamp.before.max.ms": _whole(
        "long", _LONG_MAX, 0, "An event from further in the past is refused."
    ),
    "message.timestamp.type": _one_of(
        "CreateTime",
        "LogAppendTime",
        says="CreateTime keeps the client's time, LogAppendTime sets the broker's.",
    ),
    "min.cleanable.dirty.ratio": Setting(
        "0.5", "double", _is_ratio, "Compaction waits until this share of the closed segments is new."
    ),
    "min.compaction.lag.ms": _whole(
        "long", 0, 0, "A segment with an event younger than this is not compacted yet."
    ),
    "min.insync.replicas": _whole(
        "int", 1, 1, "Taken and kept; never more than the one replica there is, so acks=all needs one."
    ),
    "preallocate": _switch("Taken and kept; files grow as they are written."),
    "remote.log.copy.disable": _switch(_NO_TIERS),
    "remote.log.delete.on.disable": _switch(_NO_TIERS),
    "remote.storage.enable": _switch("Only false; there is no tiered storage.", only="false"),
    "retention.bytes": _whole(
        "long", -1, -(2**63), "A partition larger than this loses its oldest segments; negative keeps all."
    ),
    "retention.ms": _whole(
        "long", 604_800_000, -1, "A segment goes when its latest event is older than this; -1 keeps all."
    ),
    "segment.bytes": _whole("int", 1_073_741_824, 1_048_576, "A segment is closed before it grows larger."),
    "segment.index.bytes": _whole("int", 10_485_760, 4, _NO_INDEX_FILES),
    "segment.jitter.ms": _whole("long", 0, 0, "Taken and kept; segments are closed without jitter."),
    "segment.ms": _whole(
        "long", 604_800_000, 1, "A segment is closed when it has been written to for this long."
    ),
    "unclean.leader.election.enable": _switch("Taken and kept; the one replica always leads."),
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
        return _parts(self["cleanup.policy"])

    @property
    def uses_append_time(self) -> bool:
        return self["message.timestamp.type"] == "LogAppendTime"


def refusal(own: Mapping[str, str | None]) -> str | None:
    """Why a topic cannot have these settings, or None."""
    for name, value in own.items():
        setting = SETTINGS.get(name)
        if setting is None:
            return f"Unknown topic config name: {name}"
        if value is None:
            return f"Null value not supported for topic configs: {name}"
        if not setting.accepts(value):
            return f"Invalid value {value} for configuration {name}"
    config = TopicConfig({name: value for name, value in own.items() if value is not None})
    low, high = config.number("min.compaction.lag.ms"), config.number("max.compaction.lag.ms")
    return (
        f"min.compaction.lag.ms ({low}) is more than max.compaction.lag.ms ({high})" if low > high else None
    )
