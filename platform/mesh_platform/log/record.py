"""One control event, and what a log of them promises."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from mesh.errors import MeshError

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Record:
    """A control event. Times and ids travel in it: whoever applies it looks at nothing else."""

    offset: int
    time: str  #: ISO 8601, UTC
    actor: str
    kind: str
    body: Mapping[str, Any]
    command: str = ""  #: names the request it came from: a command that comes again is not carried out again


class LogUnavailable(MeshError):
    """The control log did not take a record, or did not say in time whether it did."""

    code = "MESH-S011"


class OutcomeUnknown(LogUnavailable):
    """The record may be in the log or not; the same command may be sent again and is carried out once."""

    code = "MESH-S021"

    def __init__(self, where: str | None, why: str) -> None:
        super().__init__(
            "the control log did not say in time whether it took the record",
            where=where,
            why=why,
            fix="repeat the request: what was done already is not done twice",
        )


def moved(where: str, why: str) -> LogUnavailable:
    """The error of a log that is not the one that was read before: views of it are no longer its truth."""
    return LogUnavailable(
        "the control log is not the one that was read before",
        code="MESH-S024",
        where=where,
        why=why,
        fix="restore the topic if it was deleted or cut; then start the platform again",
    )


def stopped(where: str, error: Exception) -> LogUnavailable:
    """The error of a log that is there and cannot be followed any further."""
    return LogUnavailable(
        "the control log cannot be followed any further",
        code="MESH-S029",
        where=where,
        why=f"{type(error).__name__}: {error}",
        fix="start the platform again; if it stops there again, run the release that wrote the record",
    )


Deliver = Callable[[Sequence[Record]], None]
Failed = Callable[[MeshError], None]


def chained(previous: str, *, time: str, actor: str, kind: str, body: str, command: str = "") -> str:
    """The hash that ties a record to all before it, so that a later edit shows."""
    parts = [previous, time, actor, kind, body]
    # Records from before commands had names keep their hashes.
    text = json.dumps([*parts, command] if command else parts, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class ControlLog(Protocol):
    """Takes records durably and gives all of them to everyone, in one order. Offsets count from 0."""

    def append(
        self, *, time: str, actor: str, kind: str, body: Mapping[str, Any], command: str = ""
    ) -> Record:
        """Durable when it returns; raises LogUnavailable, or OutcomeUnknown when nobody can tell."""

    def send(
        self,
        failed: Failed,
        *,
        time: str,
        actor: str,
        kind: str,
        body: Mapping[str, Any],
        command: str = "",
    ) -> None:
        """Append without waiting: the record comes by `follow`, or `failed` is told why it may not."""

    def read(self, start: int = 0) -> Iterator[Record]:
        """The records from `start` on that are there now, in log order."""

    def follow(self, start: int, deliver: Deliver, lost: Failed) -> None:
        """From now on give each record from `start` on to `deliver`, once and in order, whoever wrote it.

        `lost` is told when the log cannot be followed any further: what was delivered is not its truth.
        """

    def end(self) -> Future[int] | None:
        """The offset after all that anyone has been told of, to come; None where nobody else writes."""

    def trouble(self) -> str:
        """Why the log does not answer just now; empty when it does."""

    @property
    def chain(self) -> str | None:
        """The hash that the log keeps beside its last record; None where several writers cannot chain."""

    def close(self) -> None:
        """Let go of the log; nothing is delivered afterwards."""
