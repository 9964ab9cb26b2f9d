"""The error tree: what a caller may catch, and the facts each error carries.

    MeshError                   MESH-M   of mesh itself, MESH-K of Kafka, MESH-S of the platform   exit 1
    ├── UsageError              MESH-U   the command or call itself is wrong                 exit 2
    ├── DeclarationError        MESH-C   contract or product files that do not hold          exit 1
    ├── SchemaError             MESH-A   a schema that is invalid, unsafe or too large       exit 1
    │   └── IncompatibleSchema  MESH-A   valid, but readers or retained events would break   exit 1
    ├── EventError              MESH-E   an event that does not fit its contract             exit 1
    │   └── NotAcknowledged     MESH-K   events that did not get to the broker for certain   exit 1
    ├── PlanError               MESH-P   a plan that cannot be made or carried out           exit 1
    ├── ReviewError             MESH-G   a proposal or decision that governance refuses      exit 1
    ├── RegistryError           MESH-R   the schema registry refused                         exit 1
    ├── QueryError              MESH-Q   a query that cannot be answered                     exit 1
    └── UnreachableError        MESH-X   a broker, registry or platform does not answer      exit 4

Every error says what happened, where, why, and the next command to run. `Finding` is the same
facts as a value, for checks that report many at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Position:
    """A place on a topic."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


Where = Location | Position | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a check has to say about a declaration."""

    code: str
    message: str
    where: Where
    severity: Severity = "error"
    why: str = ""
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.code} {self.message}"


class MeshError(Exception):
    """Something in the mesh did not go as asked."""

    code: ClassVar[str] = "MESH-M000"
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        code: str | None = None,
        where: Where | None = None,
        why: str = "",
        fix: str = "",
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.error_code = code or type(self).code
        self.where = where
        self.why = why
        self.fix = fix
        self.findings = tuple(findings)

    def __str__(self) -> str:
        head = f"{self.where}: " if self.where is not None else ""
        lines = [f"{head}{self.error_code} {self.what}"]
        if self.why:
            lines.append(f"  why:  {self.why}")
        if self.fix:
            lines.append(f"  next: {self.fix}")
        return "\n".join(lines)


class UsageError(MeshError):
    """The command or call itself is wrong."""

    code = "MESH-U001"
    exit_code = 2


class DeclarationError(MeshError):
    """A contract or product file does not hold."""

    code = "MESH-C001"


class SchemaError(MeshError):
    """A schema is invalid, unsafe or too large."""

    code = "MESH-A001"


class IncompatibleSchema(SchemaError):
    """A schema is valid, but readers or retained events would break."""

    code = "MESH-A409"


class EventError(MeshError):
    """An event does not fit its contract."""

    code = "MESH-E001"


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """A record that the broker did not confirm, whole; partition −1 when it was not given one yet."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    time_ms: int
    cause: str


class NotAcknowledged(EventError):
    """Exactly `events` were not acknowledged, and the last `unsent` of the call were not even sent."""

    code = "MESH-K021"
    events: tuple[Unacknowledged, ...] = ()
    unsent: int = 0
    fatal: str | None = None


def not_acknowledged(
    events: Sequence[Unacknowledged], *, unsent: int = 0, fatal: str | None = None
) -> NotAcknowledged:
    """The error that names these events; `fatal` is what ended the client, if anything did."""
    where = _place(events[0]) if events else None
    causes = "; ".join(list(dict.fromkeys(event.cause for event in events))[:3])
    count = f"{len(events):,}" + (f" events, and the last {unsent:,} of the call," if unsent else " events")
    if fatal is None:
        error = NotAcknowledged(
            f"{count} were not acknowledged",
            code="MESH-K021",
            where=where,
            why=causes,
            fix="publish.again(error) sends exactly these once more; nothing unacknowledged is published",
        )
    else:
        error = NotAcknowledged(
            f"{count} were not acknowledged, and the client was replaced",
            code="MESH-K020",
            where=where,
            why=f"it failed for good: {fatal}; {causes}",
            fix="publish.again(error) sends exactly these once more, by the new client",
        )
    error.events, error.unsent, error.fatal = tuple(events), unsent, fatal
    return error


def _place(event: Unacknowledged) -> str:
    return event.topic if event.partition < 0 else f"{event.topic}/{event.partition}"


class PlanError(MeshError):
    """A plan cannot be made or carried out."""

    code = "MESH-P001"


class ReviewError(MeshError):
    """Governance refuses a proposal or a decision."""

    code = "MESH-G001"


class RegistryError(MeshError):
    """The schema registry refused a request."""

    code = "MESH-R001"

    def __init__(
        self,
        what: str,
        *,
        status: int = 0,
        registry_code: int = 0,
        code: str | None = None,
        where: Where | None = None,
        why: str = "",
        fix: str = "",
    ) -> None:
        super().__init__(what, code=code, where=where, why=why, fix=fix)
        self.status = status
        self.registry_code = registry_code


class QueryError(MeshError):
    """A query over products cannot be answered."""

    code = "MESH-Q001"


class UnreachableError(MeshError):
    """A broker, registry or platform does not answer."""

    code = "MESH-X001"
    exit_code = 4
