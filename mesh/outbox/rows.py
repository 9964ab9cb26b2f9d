"""A row of the outbox table: a Kafka record as it will be sent, whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mesh.parcels import Parcel

Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One event that waits; `seq` says its turn."""

    seq: int
    topic: str
    key: bytes | None
    value: bytes | None
    headers: str

    def unpacked(self) -> list[Header]:
        """The headers of the record."""
        return [
            (name, None if text is None else text.encode("latin-1"))
            for name, text in json.loads(self.headers)
        ]


def columns(parcel: Parcel) -> Iterator[tuple[str, bytes | None, bytes | None, str, int]]:
    """What is stored of each record: topic, key, value, headers and when it was written (ms)."""
    rows = zip(parcel.keys, parcel.values, parcel.headers, parcel.times_ms, strict=True)
    for key, value, headers, at in rows:
        yield parcel.topic, key, value, _packed(headers), at


def _packed(headers: Sequence[Header]) -> str:
    # Latin-1 gives every byte one character: any header comes back as it was, and text stays readable.
    return json.dumps([(name, None if raw is None else raw.decode("latin-1")) for name, raw in headers])
