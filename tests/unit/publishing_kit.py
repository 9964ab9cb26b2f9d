"""What tests of publishing share: a port without a registry, and senders that remember or refuse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from mesh.contract.model import Contract
from mesh.errors import Unacknowledged, not_acknowledged
from mesh.event import EventIds
from mesh.parcels import OnViolation, Packer
from mesh.port import OutputPort
from mesh.publishing import Publisher
from tests.unit.contract_kit import contract_of, field

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def port(*more: dict[str, Any]) -> OutputPort:
    """A port with a text key and a number that is at least 0 and at most 100."""
    bounds = {"minimum": 0, "maximum": 100}
    contract: Contract = contract_of(
        [
            field("name", primaryKey=True, required=True),
            field("level", "integer", required=True, logicalTypeOptions=bounds),
            *more,
        ]
    )
    return OutputPort(contract)


def packer(of: OutputPort | None = None) -> Packer:
    return Packer(of or port(), 7, EventIds(b"\x01" * 8), lambda: NOW)


class Remembering:
    """A sender that keeps what it was given; from `refuses_at` on it acknowledges nothing."""

    def __init__(self, refuses_at: int | None = None) -> None:
        self.sent: list[tuple[str, bytes | None, bytes | None, dict[str, bytes | None]]] = []
        self.refuses_at = refuses_at
        self.flushes = 0
        self.closed = False

    def send(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        headers: Iterable[Sequence[tuple[str, bytes | None]]],
        times_ms: Sequence[int],
    ) -> None:
        events = list(zip(keys, values, headers, times_ms, strict=True))
        assert all(isinstance(own, list) for _, _, own, _ in events), "librdkafka takes lists only"
        room = len(events) if self.refuses_at is None else max(self.refuses_at - len(self.sent), 0)
        self.sent += [(topic, key, value, dict(own)) for key, value, own, _ in events[:room]]
        if room < len(events):
            raise not_acknowledged(
                [Unacknowledged(topic, 0, k, v, tuple(h), t, "refused") for k, v, h, t in events[room:]]
            )

    def flush(self) -> None:
        self.flushes += 1

    def close(self) -> None:
        self.closed = True

    @property
    def ids(self) -> list[str]:
        return [(headers["ce_id"] or b"").decode() for *_, headers in self.sent]


def publisher(sender: Remembering, on_violation: OnViolation = "reject") -> Publisher:
    return Publisher(port(), 7, sender, EventIds(b"\x01" * 8), lambda: NOW, on_violation)


def rows(*levels: int) -> list[dict[str, Any]]:
    return [{"name": f"n-{level}", "level": level} for level in levels]
