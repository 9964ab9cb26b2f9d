"""Check a new schema against those before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mesh.compatibility.explain import explain_backward, explain_forward
from mesh.compatibility.levels import Level
from mesh.compatibility.resolution import ProblemType, problems
from mesh.schema import AvroSchema


class Direction(StrEnum):
    """Whose reading breaks: the new schema's (backward) or the earlier one's (forward)."""

    BACKWARD = "backward"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incompatibility:
    """One reason why a new schema may not follow an earlier one.

    `against` is the place of the earlier schema in the sequence given to `check`; `path`, `type` and
    `message` are a schema registry's; `explanation` is a sentence naming `field`; `fix` says what to do.
    """

    type: ProblemType
    path: str
    field: str
    message: str
    reader: AvroSchema
    writer: AvroSchema
    direction: Direction
    explanation: str
    fix: str
    against: int = 0


def check(new: AvroSchema, previous: Sequence[AvroSchema], level: Level) -> tuple[Incompatibility, ...]:
    """What keeps `new` from following `previous` (oldest first) under `level`; empty when nothing does.

    Raises SchemaError MESH-A410 when two schemas are too complex to compare.
    """
    first = 0 if level.transitive else max(0, len(previous) - 1)
    return tuple(
        problem
        for index in range(len(previous) - 1, first - 1, -1)
        for problem in compare(new, previous[index], level, against=index)
    )


def compare(new: AvroSchema, earlier: AvroSchema, level: Level, against: int = 0) -> list[Incompatibility]:
    """What keeps `new` from following the one schema `earlier` under `level`."""
    found: list[Incompatibility] = []
    if level.backward:
        found += _read(new, earlier, Direction.BACKWARD, against)
    if level.forward:
        found += _read(earlier, new, Direction.FORWARD, against)
    return found


def _read(
    reader: AvroSchema, writer: AvroSchema, direction: Direction, against: int
) -> list[Incompatibility]:
    explain = explain_backward if direction is Direction.BACKWARD else explain_forward
    found = []
    for problem in problems(reader, writer):
        explanation, fix = explain(problem)
        found.append(
            Incompatibility(
                type=problem.type,
                path=problem.path,
                field=problem.field,
                message=problem.message,
                reader=reader,
                writer=writer,
                direction=direction,
                explanation=explanation[:1].upper() + explanation[1:],
                fix=fix,
                against=against,
            )
        )
    return found
