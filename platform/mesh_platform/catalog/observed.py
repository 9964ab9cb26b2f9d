"""What was seen of the running mesh, as values: topics, groups, quality results, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ObservedTopic:
    """A topic as the broker showed it; offsets are (earliest, next) per partition."""

    partitions: int
    config: Mapping[str, str]
    offsets: Mapping[int, tuple[int, int]]
    newest: datetime | None = None  #: when the newest event was published

    @property
    def events(self) -> int:
        """Offsets retained: events on a topic that is not compacted, an upper bound on one that is."""
        return sum(end - start for start, end in self.offsets.values())


@dataclass(frozen=True, slots=True)
class ObservedGroup:
    """A consumer group's position on one topic."""

    group: str
    topic: str
    lag: int


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at the broker; `failure` says why there is nothing newer."""

    seen: datetime | None = None
    topics: Mapping[str, ObservedTopic] = field(default_factory=dict)
    groups: tuple[ObservedGroup, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class LatestEvent:
    """One decoded event with its place."""

    partition: int
    offset: int
    at: datetime | None
    key: str
    row: Mapping[str, Any]
