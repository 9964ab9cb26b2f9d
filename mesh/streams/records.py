"""Records as Faust hands them over, in the shape of the official client's messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from mesh.interfaces import Message


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the source topic."""

    raw: Any

    def topic(self) -> str:
        return str(self.raw.topic)

    def partition(self) -> int:
        return int(self.raw.partition)

    def offset(self) -> int:
        return int(self.raw.offset)

    def key(self) -> bytes | None:
        key: bytes | None = self.raw.key
        return key

    def value(self) -> bytes | None:
        value: bytes | None = self.raw.value
        return value

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return list(self.raw.headers or ())

    def timestamp(self) -> tuple[int, int]:
        """Kafka's type of the time and the time in milliseconds."""
        return int(self.raw.timestamp_type or 0), round((self.raw.timestamp or 0) * 1000)


M = TypeVar("M", bound=Message)


def without_gaps(
    records: Iterable[M], stand: Callable[[int], int], follows: Callable[[int, int], int | None]
) -> tuple[list[M], bool]:
    """The records that join on to where their partition stands, and whether these are all that are new.

    `follows` (partition, offset) says where reading stood before a record. What lies between that and where
    the partition stands was left out by somebody, so neither the record nor what comes after it may count.
    """
    joined: list[M] = []
    whole = True
    reached: dict[int, int] = {}
    for record in records:
        partition, offset = record.partition(), record.offset()
        at = reached[partition] if partition in reached else stand(partition)
        if offset < at:
            continue  # it comes again
        before = follows(partition, offset)
        if before is None or before > at:
            whole = False
            continue
        reached[partition] = offset + 1
        joined.append(record)
    return joined, whole


def without_repeats(
    records: Iterable[M], position: Callable[[int], int | None]
) -> tuple[list[M], dict[int, int]]:
    """`(each record once, partition → next offset)`; what is before `position` was handled already.

    When the reading goes back while records wait for their batch, they come twice.
    """
    once: list[M] = []
    ends: dict[int, int] = {}
    for record in records:
        partition, offset = record.partition(), record.offset()
        end = ends.get(partition)
        if offset >= ((position(partition) or 0) if end is None else end):
            ends[partition] = offset + 1
            once.append(record)
    return once, ends
