"""Subjects: levels and schemas, judged here as the registry, the readers and the review will judge them."""

from __future__ import annotations

from collections.abc import Iterator

from mesh import naming
from mesh.compatibility import Level, check, logical_changes
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract
from mesh.contract.rule_targets import rule_set
from mesh.declaration import Declaration
from mesh.plan.actual import Actual, SubjectFacts, VersionFacts
from mesh.plan.changes import (
    Blocked,
    Change,
    RegisterSchema,
    RegisterSchemaAndRules,
    SetCompatibility,
    TakeOver,
)
from mesh.rules.ruleset import RuleSet, normal

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
        wanted = wanted_version(contract, actual)
        if is_missing(wanted, found):
            yield _registered(subject, wanted, found, contract, actual.soundings.refused.get(subject))


def wanted_version(contract: Contract, actual: Actual) -> VersionFacts:
    """A contract's schema and the rule set to register with it: the one approved, where governance holds it.

    Else the one that follows from the text; another release of mesh may put the same rules into other words.
    """
    schema, known = avro_schema(contract), actual.contracts.get(contract.id)
    if known is not None and known.sha256 == contract.sha256 and known.rule_set is not None:
        return VersionFacts(schema, known.rule_set)
    return VersionFacts(schema, rule_set(contract, schema))


def schemas(count: int) -> str:
    """A number of schemas, for people."""
    return f"{count} schema{'' if count == 1 else 's'}"


def is_missing(wanted: VersionFacts, found: SubjectFacts) -> bool:
    """Whether a subject holds this schema with these rules in no live version.

    Any will do: a registry answers what it knows with its id and adds nothing. One that keeps no rule sets
    is asked for the schema alone.
    """
    return not any(
        version.schema.text == wanted.schema.text and _says(version.rule_set, wanted.rule_set)
        for version in found.versions
    )


def _says(held: RuleSet | None, wanted: RuleSet | None) -> bool:
    return held is None or normal(held) == normal(wanted)


def _registered(
    subject: str, wanted: VersionFacts, found: SubjectFacts, contract: Contract, refused: str | None
) -> Change:
    schema = wanted.schema
    way_out = f"keep what readers need, or start {_next_major(contract)}"
    broken = check(schema, list(found.schemas), Level(contract.compatibility))
    if broken:
        said = "; ".join(problem.explanation for problem in broken[:_SHOWN])
        return Blocked(subject, "the schema is incompatible", said, way_out)
    moved = logical_changes(schema, found.schemas[-1]) if found.versions else ()
    if moved:
        said = "; ".join(change.explanation for change in moved[:_SHOWN])
        return Blocked(subject, "the schema changes what values mean", said, way_out)
    if refused is not None:
        return Blocked(subject, "the registry would refuse the schema", refused, way_out)
    # What is registered without a rule set takes over that of the version before.
    if wanted.rule_set or any(version.rule_set for version in found.versions):
        return RegisterSchemaAndRules(subject, schema, wanted.rule_set or {})
    return RegisterSchema(subject, schema)


def _next_major(contract: Contract) -> str:
    return f"{contract.id.rsplit('.', 1)[0]}.v{contract.version.major + 1}"
