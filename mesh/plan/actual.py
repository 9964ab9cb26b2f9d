"""The world as it is, as values: what brokers, registries and governance say when asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh.plan.access import Grant
from mesh.rules.ruleset import RuleSet, normal
from mesh.schema import AvroSchema


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic as the broker shows it; `config` holds only the settings the mesh looks at."""

    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """A live version of a subject; `rule_set` is None where the registry does not keep rule sets."""

    schema: AvroSchema
    rule_set: RuleSet | None = None


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """A subject as the registry shows it; live versions, oldest first. `level` is None when inherited."""

    level: str | None
    versions: tuple[VersionFacts, ...]

    @property
    def schemas(self) -> tuple[AvroSchema, ...]:
        """The schemas of the versions."""
        return tuple(version.schema for version in self.versions)


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """What governance knows of a contract: the text in force, and whether the mesh may use it."""

    id: str
    version: str
    sha256: str
    text: str
    avro: str = ""
    rule_set: RuleSet | None = None  #: approved with it; None where governance does not say


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What the catalog knows of a product."""

    full_name: str
    sha256: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Soundings:
    """Answers to questions that are only asked where a plan needs them (`mesh.plan.questions`)."""

    events: Mapping[str, int] = field(default_factory=dict)  #: by topic
    expired: Mapping[str, int] = field(default_factory=dict)  #: by topic: beyond the wanted retention
    refused: Mapping[str, str] = field(default_factory=dict)  #: by subject: why the registry says no


@dataclass(frozen=True, slots=True)
class Actual:
    """The world as it is: topics on the broker, subjects in the registry, what governance holds.

    `grants` is None where the cluster has no authorizer. `unasked` names the parts (broker, registry,
    platform) that did not answer, and why: nothing is known of what they hold.
    """

    topics: Mapping[str, TopicFacts]
    subjects: Mapping[str, SubjectFacts]
    contracts: Mapping[str, ContractFacts]
    products: Mapping[str, ProductFacts]
    grants: frozenset[Grant] | None = None
    soundings: Soundings = field(default_factory=Soundings)
    unasked: Mapping[str, str] = field(default_factory=dict)


def base_of(actual: Actual) -> str:
    """A fingerprint of the world a plan was made from; another one means the plan is stale.

    Soundings are not part of it: events come and go without making a plan wrong.
    """
    grants = None if actual.grants is None else sorted(str(grant) for grant in actual.grants)
    facts = {
        "topics": {name: [t.partitions, dict(sorted(t.config.items()))] for name, t in actual.topics.items()},
        "subjects": {
            name: [s.level, [_print(version) for version in s.versions]]
            for name, s in actual.subjects.items()
        },
        "contracts": {name: c.sha256 for name, c in actual.contracts.items()},
        "products": {name: p.sha256 for name, p in actual.products.items()},
        "grants": grants,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _print(version: VersionFacts) -> list[object]:
    rules = None if version.rule_set is None else normal(version.rule_set)
    return [version.schema.fingerprint, rules]
