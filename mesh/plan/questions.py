"""What a plan still has to ask of the world once it is known what differs: dear questions, asked of few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh import naming
from mesh.declaration import Declaration
from mesh.plan.actual import Actual
from mesh.plan.subjects import NOTHING, is_missing, wanted_version
from mesh.plan.topics import RETENTION, deletes_sooner, differences, topic_config, wanted_topics
from mesh.plan.undeclared import undeclared
from mesh.schema import AvroSchema


@dataclass(frozen=True, slots=True)
class Questions:
    """How many events, how many of them beyond a retention in ms, and whether a registry takes a schema."""

    events: frozenset[str] = frozenset()
    expired: Mapping[str, int] = field(default_factory=dict)
    schemas: Mapping[str, AvroSchema] = field(default_factory=dict)


def questions(desired: Declaration, actual: Actual) -> Questions:
    """Events of topics that lose some, were nobody's or are kept; schemas that follow others."""
    events: set[str] = {kept.name for kept in undeclared(desired, actual) if kept.kind == "topic"}
    expired: dict[str, int] = {}
    schemas: dict[str, AvroSchema] = {}
    for contract in desired.contracts.values():
        for name, settings in wanted_topics(contract):
            found = actual.topics.get(name)
            if found is None:
                continue
            wanted = topic_config(settings)
            if contract.id not in actual.contracts or differences(wanted, found):
                events.add(name)
            if differences(wanted, found) and deletes_sooner(wanted, found):
                expired[name] = int(wanted[RETENTION])
        subject = naming.value_subject(contract.topic)
        live = actual.subjects.get(subject, NOTHING)
        # Under another level the registry would answer for the level it is about to leave.
        if live.versions and live.level == contract.compatibility:
            version = wanted_version(contract, actual)
            if is_missing(version, live):
                schemas[subject] = version.schema
    return Questions(frozenset(events), expired, schemas)
