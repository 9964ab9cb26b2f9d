"""The whole answer about a new schema: what registries refuse, and what they overlook, in one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mesh.compatibility.check import Incompatibility, check
from mesh.compatibility.levels import Level
from mesh.compatibility.logical_changes import LogicalChange, logical_changes
from mesh.errors import SchemaError
from mesh.schema import AvroSchema

Outcome = Literal["passed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`failed` names its reasons; `unknown` says why nothing could be said, and is never `passed`."""

    outcome: Outcome
    incompatibilities: tuple[Incompatibility, ...] = ()
    meanings: tuple[LogicalChange, ...] = ()
    unknown: str = ""  #: why there is no answer; empty when there is one

    @property
    def sentences(self) -> tuple[str, ...]:
        """Every reason against the new schema, in plain words."""
        found = [problem.explanation for problem in self.incompatibilities]
        found += [change.explanation for change in self.meanings]
        return (*found, self.unknown) if self.unknown else tuple(found)


def verdict(new: AvroSchema, previous: Sequence[AvroSchema], level: Level) -> Verdict:
    """Whether `new` may follow `previous` (oldest first) under `level`; never raises.

    Changes of meaning fail at every level but NONE: they are told there too, and refuse nothing.
    """
    compared = previous if level.transitive else previous[-1:]
    try:
        found = check(new, previous, level)
        meanings = dict.fromkeys(c for earlier in reversed(compared) for c in logical_changes(new, earlier))
    except SchemaError as error:
        return Verdict("unknown", unknown=f"Nobody can say whether readers would break: {error.what}.")
    refused = found or (meanings and level is not Level.NONE)
    return Verdict("failed" if refused else "passed", found, tuple(meanings))
