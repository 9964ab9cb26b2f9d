"""A broker, a registry and a platform in memory, as far as plans look at them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mesh.compatibility import Level, check
from mesh.contract.reading import read_contract
from mesh.contract.refinement import refined
from mesh.errors import RegistryError, ReviewError
from mesh.plan.access import Grant
from mesh.plan.actual import ContractFacts, ProductFacts, SubjectFacts, TopicFacts, VersionFacts
from mesh.product import read_product
from mesh.rules.ruleset import RuleSet
from mesh.schema import AvroSchema
from mesh.world import World


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class BrokerTwin:
    """Topics with their settings; creating one twice is an error, as on Kafka."""

    found: dict[str, TopicFacts] = field(default_factory=dict)
    ages: dict[str, list[int]] = field(default_factory=dict)  #: by topic: how old its events are, in ms
    positions: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: by topic: groups that read it
    allowed: set[Grant] | None = None  #: None: there is no authorizer

    def topics(self) -> Mapping[str, TopicFacts]:
        return dict(self.found)

    def create_topic(self, topic: str, partitions: int, config: Mapping[str, str]) -> None:
        assert topic not in self.found, f"{topic} exists"
        self.found[topic] = TopicFacts(partitions, dict(config))

    def alter_topic(self, topic: str, config: Mapping[str, str]) -> None:
        facts = self.found[topic]
        self.found[topic] = replace(facts, config={**facts.config, **config})

    def add_partitions(self, topic: str, total: int) -> None:
        assert total > self.found[topic].partitions, "partitions only grow"
        self.found[topic] = replace(self.found[topic], partitions=total)

    def delete_topic(self, topic: str) -> None:
        self.found.pop(topic, None)
        self.ages.pop(topic, None)

    def events(self, topics: Collection[str]) -> Mapping[str, int]:
        return {topic: len(self.ages.get(topic, ())) for topic in topics}

    def expired(self, retention: Mapping[str, int]) -> Mapping[str, int]:
        return {t: sum(age > most for age in self.ages.get(t, ())) for t, most in retention.items()}

    def groups(self, topics: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        return {topic: groups for topic, groups in self.positions.items() if topic in topics}

    def grants(self, principals: Collection[str]) -> frozenset[Grant] | None:
        if self.allowed is None:
            return None
        return frozenset(grant for grant in self.allowed if grant.principal in principals)

    def grant(self, grant: Grant) -> None:
        assert self.allowed is not None, "there is no authorizer"
        self.allowed.add(grant)


@dataclass
class RegistryTwin:
    """Subjects with versions; a text it knows is answered with its id and adds no version."""

    found: dict[str, SubjectFacts] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    objections: dict[str, str] = field(default_factory=dict)  #: by subject: what it has against a schema

    def subjects(self, names: Collection[str], prefixes: Collection[str]) -> Mapping[str, SubjectFacts]:
        return {n: f for n, f in self.found.items() if n in names or n.startswith(tuple(prefixes))}

    def refusal(self, subject: str, schema: AvroSchema) -> str | None:
        return self.objections.get(subject)

    def delete_subject(self, name: str) -> None:
        self.found.pop(name, None)

    def register(self, subject: str, schema: AvroSchema, rule_set: RuleSet | None = None) -> int:
        facts = self.found.get(subject, SubjectFacts(None, ()))
        version = VersionFacts(schema, rule_set or {})
        if version not in facts.versions:
            if check(schema, list(facts.schemas), Level(facts.level or "BACKWARD")):
                raise RegistryError("incompatible", status=409, registry_code=409)
            self.found[subject] = replace(facts, versions=(*facts.versions, version))
        return self.ids.setdefault(schema.text, len(self.ids) + 1)

    def set_level(self, subject: str, level: str) -> None:
        self.found[subject] = replace(self.found.get(subject, SubjectFacts(None, ())), level=level)

    def schema_id(self, subject: str, schema: AvroSchema) -> int:
        return self.ids[schema.text]

    def schema(self, schema_id: int) -> AvroSchema:
        raise NotImplementedError


@dataclass
class PlatformTwin:
    """Contracts and products in force; a changed contract is refused, as governance does."""

    held_contracts: dict[str, ContractFacts] = field(default_factory=dict)
    held_products: dict[str, ProductFacts] = field(default_factory=dict)

    def contracts(self) -> Mapping[str, ContractFacts]:
        return dict(self.held_contracts)

    def products(self) -> Mapping[str, ProductFacts]:
        return dict(self.held_products)

    def contract(self, contract_id: str) -> ContractFacts:
        return self.held_contracts[contract_id]

    def port(self, product: str) -> ContractFacts:
        raise NotImplementedError

    def declare_contract(self, file: str, text: str, avro: str = "") -> None:
        contract = read_contract(text.encode(), file)
        if avro:
            contract = refined(contract, avro.encode(), file)
        known = self.held_contracts.get(contract.id)
        if known is not None and known.sha256 != contract.sha256:
            raise ReviewError("a changed contract is reviewed", code="MESH-G010")
        self.approve(text, file, avro)

    def approve(self, text: str, file: str = "", avro: str = "") -> None:
        """Put a contract in force, as a review would."""
        contract = read_contract(text.encode(), file)
        if avro:
            contract = refined(contract, avro.encode(), file)
        facts = ContractFacts(contract.id, str(contract.version), contract.sha256, text, avro)
        self.held_contracts[contract.id] = facts

    def declare_product(self, file: str, text: str) -> None:
        name = read_product(text.encode(), file).full_name
        self.held_products[name] = ProductFacts(name, sha256(text), text)

    def remove_contract(self, contract_id: str) -> None:
        del self.held_contracts[contract_id]

    def remove_product(self, full_name: str) -> None:
        del self.held_products[full_name]

    def propose(self, file: str, text: str, reason: str, avro: str = "") -> Mapping[str, Any]:
        raise NotImplementedError

    def proposals(self) -> Sequence[Mapping[str, Any]]:
        raise NotImplementedError

    def proposal(self, number: int) -> Mapping[str, Any]:
        raise NotImplementedError

    def decide(self, number: int, decision: str, reason: str, sha256: str) -> Mapping[str, Any]:
        raise NotImplementedError

    def subscribe(self, product: str, group: str, fields: Sequence[str], purpose: str) -> None:
        raise NotImplementedError


@dataclass
class WorldTwin:
    """All three, and the `World` that plans are about."""

    broker: BrokerTwin = field(default_factory=BrokerTwin)
    registry: RegistryTwin = field(default_factory=RegistryTwin)
    platform: PlatformTwin = field(default_factory=PlatformTwin)

    @property
    def world(self) -> World:
        return World(self.broker, self.registry, self.platform)
