"""Desired against actual: the changes that lead from one to the other, in the order they are carried out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from mesh import naming
from mesh.compatibility import Level, check
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract, TopicSettings
from mesh.declaration import Declaration
from mesh.plan.actual import Actual, SubjectFacts, base_of
from mesh.plan.changes import (
    AddPartitions,
    AlterTopic,
    Blocked,
    Change,
    CreateTopic,
    DeclareContract,
    DeclareProduct,
    DeclareRefinedContract,
    Plan,
    RegisterSchema,
    SetCompatibility,
)


def topic_config(settings: TopicSettings) -> dict[str, str]:
    """A contract's topic settings in Kafka's words."""
    return {"cleanup.policy": settings.cleanup_policy, "retention.ms": str(settings.retention_ms)}


def make_plan(desired: Declaration, actual: Actual) -> Plan:
    """The changes that lead from actual to desired; empty when they agree."""
    steps = [
        *_contracts(desired, actual),
        *_topics(desired, actual),
        *_subjects(desired, actual),
        *_products(desired, actual),
    ]
    return Plan(tuple(steps), base_of(actual))


def _contracts(desired: Declaration, actual: Actual) -> Iterator[Change]:
    for contract in desired.contracts.values():
        known = actual.contracts.get(contract.id)
        document = contract.document
        if known is None:
            facts = contract.id, str(contract.version), document.file, document.text
            if contract.refined is not None:
                yield DeclareRefinedContract(*facts, contract.refined.text)
            else:
                yield DeclareContract(*facts)
        elif known.sha256 != contract.sha256:
            yield Blocked(
                contract.id,
                f"version {contract.version} is not approved",
                f"governance holds version {known.version} and this text differs from it",
                f"mesh propose {document.file}",
            )


def _products(desired: Declaration, actual: Actual) -> Iterator[Change]:
    for product in desired.products.values():
        known = actual.products.get(product.full_name)
        document = product.document
        if known is None or known.sha256 != hashlib.sha256(document.text.encode()).hexdigest():
            yield DeclareProduct(product.full_name, document.file, document.text)


def _topics(desired: Declaration, actual: Actual) -> Iterator[Change]:
    for contract in desired.contracts.values():
        wanted = topic_config(contract.settings)
        yield from _topic(contract.topic, contract.settings.partitions, wanted, actual)
        dead_letters = naming.dead_letter_topic(contract.topic)
        yield from _topic(dead_letters, 1, {"cleanup.policy": "delete", "retention.ms": "-1"}, actual)


def _topic(name: str, partitions: int, wanted: Mapping[str, str], actual: Actual) -> Iterator[Change]:
    found = actual.topics.get(name)
    if found is None:
        yield CreateTopic(name, partitions, dict(wanted))
        return
    if partitions > found.partitions:
        yield AddPartitions(name, found.partitions, partitions)
    elif partitions < found.partitions:
        yield Blocked(
            name,
            f"{found.partitions} partitions cannot become {partitions}",
            "Kafka keeps the partitions of a topic; fewer would lose events",
            f"write partitions: {found.partitions}, or start a new major version",
        )
    differs = {key: value for key, value in wanted.items() if found.config.get(key) != value}
    if differs:
        yield AlterTopic(name, {key: found.config[key] for key in differs if key in found.config}, differs)


def _subjects(desired: Declaration, actual: Actual) -> Iterator[Change]:
    for contract in desired.contracts.values():
        subject = naming.value_subject(contract.topic)
        found = actual.subjects.get(subject) or SubjectFacts(None, ())
        schema = avro_schema(contract)
        if found.level != contract.compatibility:
            yield SetCompatibility(subject, found.level, contract.compatibility)
        # Any live version will do: a registry answers a text it knows with its id and adds nothing.
        if schema.text not in {version.text for version in found.versions}:
            problems = check(schema, list(found.versions), Level(contract.compatibility))
            if problems:
                yield Blocked(
                    subject,
                    "the schema is incompatible",
                    "; ".join(problem.explanation for problem in problems[:3]),
                    _way_out(contract),
                )
            else:
                yield RegisterSchema(subject, schema)


def _way_out(contract: Contract) -> str:
    return f"keep what readers need, or start {contract.id.rsplit('.', 1)[0]}.v{contract.version.major + 1}"
