"""Subjects: levels and schemas, judged here as the registry, the readers and the review will judge them."""

from __future__ import annotations

from collections.abc import Iterator

from mesh import naming
from mesh.compatibility import Level, check, logical_changes
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract
from mesh.declaration import Declaration
from mesh.plan.actual import Actual, SubjectFacts
from mesh.plan.changes import Blocked, Change, RegisterSchema, SetCompatibility, TakeOver
from mesh.schema import AvroSchema

NOTHING = SubjectFacts(None, ())
_SHOWN = 3


def subject_changes(desired: Declaration, actual: Actual) -> Iterator[Change]:
    """What it takes to make all subjects as declared; Blocked where somebody could no longer read."""
    for contract in desired.contracts.values():
        subject = naming.value_subject(contract.topic)
        found = actual.subjects.get(subject, NOTHING)
        if found.versions and contract.id not in actual.contracts:
            yield TakeOver(subject, schemas(len(found.versions)))
        if found.level != contract.compatibility:
            yield SetCompatibility(subject, found.level, contract.compatibility)
        schema = avro_schema(contract)
        if is_missing(schema, found):
            yield _registered(subject, schema, found, contract, actual.soundings.refused.get(subject))


def schemas(count: int) -> str:
    """A number of schemas, for people."""
    return f"{count} schema{'' if count == 1 else 's'}"


def is_missing(schema: AvroSchema, found: SubjectFacts) -> bool:
    """Whether a subject holds this schema in no live version.

    Any will do: a registry answers a text it knows with its id and adds nothing.
    """
    return schema.text not in {version.text for version in found.versions}


def _registered(
    subject: str, schema: AvroSchema, found: SubjectFacts, contract: Contract, refused: str | None
) -> Change:
    way_out = f"keep what readers need, or start {_next_major(contract)}"
    broken = check(schema, list(found.versions), Level(contract.compatibility))
    if broken:
        said = "; ".join(problem.explanation for problem in broken[:_SHOWN])
        return Blocked(subject, "the schema is incompatible", said, way_out)
    moved = logical_changes(schema, found.versions[-1]) if found.versions else ()
    if moved:
        said = "; ".join(change.explanation for change in moved[:_SHOWN])
        return Blocked(subject, "the schema changes what values mean", said, way_out)
    if refused is not None:
        return Blocked(subject, "the registry would refuse the schema", refused, way_out)
    return RegisterSchema(subject, schema)


def _next_major(contract: Contract) -> str:
    return f"{contract.id.rsplit('.', 1)[0]}.v{contract.version.major + 1}"
