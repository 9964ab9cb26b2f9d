"""The three things a plan is about, broker, registry and platform, asked together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from mesh.contract.reading import read_contract
from mesh.declaration import Declaration
from mesh.errors import DeclarationError, UnreachableError
from mesh.interfaces import BrokerAdmin, Platform, Registry
from mesh.plan.actual import Actual, ContractFacts, ProductFacts, Soundings, SubjectFacts, TopicFacts
from mesh.plan.destroy import Holders, removed_contracts
from mesh.plan.plan import Plan
from mesh.plan.questions import Questions, questions
from mesh.plan.scope import Scope, owner_of_subject, owner_of_topic, scope_of
from mesh.product import read_product

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class World:
    """One broker, one registry, one platform. Every question raises UnreachableError as they do."""

    broker: BrokerAdmin
    registry: Registry
    platform: Platform

    def actual(self, desired: Declaration, domains: Iterable[str] = ()) -> Actual:
        """What is there of what is declared, and everything else under `domains`."""
        found = self.look(scope_of(desired, domains))
        return replace(found, soundings=self.sound(questions(desired, found)))

    def look(self, scope: Scope) -> Actual:
        """What is there of a scope, without soundings."""
        # They answer from three processes: together they take as long as the slowest.
        with ThreadPoolExecutor(3) as pool:
            topics = pool.submit(self.broker.topics)
            subjects = pool.submit(self._subjects, scope)
            contracts = pool.submit(self.platform.contracts)
            products = self.platform.products()
        return Actual(
            topics=_topics(topics.result(), scope),
            subjects=subjects.result(),
            contracts=_contracts(contracts.result(), scope),
            products=_products(products, scope),
            grants=self.broker.grants(scope.principals) if scope.principals else frozenset(),
        )

    def survey(self, desired: Declaration, domains: Iterable[str] = ()) -> Actual:
        """As `actual`, without soundings; a part that does not answer is named in `unasked`."""
        scope, unasked = scope_of(desired, domains), dict[str, str]()
        topics = _asked("broker", self.broker.topics, unasked) or {}
        subjects = _asked("registry", lambda: self._subjects(scope), unasked)
        contracts = _asked("platform", self.platform.contracts, unasked) or {}
        products = {} if "platform" in unasked else _asked("platform", self.platform.products, unasked) or {}
        grants = None if "broker" in unasked else self.broker.grants(scope.principals)
        return Actual(
            topics=_topics(topics, scope),
            subjects=subjects or {},
            contracts=_contracts(contracts, scope),
            products=_products(products, scope),
            grants=grants,
            unasked=unasked,
        )

    def sound(self, asked: Questions) -> Soundings:
        """Answers to the questions of one plan."""
        refused = {
            subject: why
            for subject, schema in asked.schemas.items()
            if (why := self.registry.refusal(subject, schema)) is not None
        }
        return Soundings(self.broker.events(asked.events), self.broker.expired(asked.expired), refused)

    def _subjects(self, scope: Scope) -> dict[str, SubjectFacts]:
        prefixes = sorted(f"{domain}." for domain in scope.domains)
        found = self.registry.subjects(scope.subjects, prefixes)
        return {s: f for s, f in found.items() if _within(s, scope.subjects, owner_of_subject(s), scope)}

    def holders(self, plan: Plan) -> Holders:
        """What keeps the things that a plan names as undeclared from being removed."""
        leaving = removed_contracts(plan)
        topics = frozenset(kept.name for kept in plan.kept if kept.kind == "topic")
        going = {kept.name for kept in plan.kept if kept.kind == "product"}
        known = self.platform.contracts()
        return Holders(
            statuses={name: _status(known[name]) for name in leaving if name in known},
            readers=_readers(self.platform.products(), leaving, going),
            groups=self.broker.groups(topics),
            events=self.broker.events(topics),
        )


def _asked(part: str, question: Callable[[], Answer], unasked: dict[str, str]) -> Answer | None:
    try:
        return question()
    except UnreachableError as error:
        unasked[part] = error.what
        return None


def _within(name: str, named: frozenset[str], owner: str | None, scope: Scope) -> bool:
    return name in named or (owner is not None and owner in scope.domains)


def _topics(known: Mapping[str, TopicFacts], scope: Scope) -> dict[str, TopicFacts]:
    return {t: f for t, f in known.items() if _within(t, scope.topics, owner_of_topic(t), scope)}


def _contracts(known: Mapping[str, ContractFacts], scope: Scope) -> dict[str, ContractFacts]:
    return {n: f for n, f in known.items() if _within(n, scope.contracts, n.partition(".")[0], scope)}


def _products(known: Mapping[str, ProductFacts], scope: Scope) -> dict[str, ProductFacts]:
    return {n: f for n, f in known.items() if _within(n, scope.products, n.partition(".")[0], scope)}


def _status(facts: ContractFacts) -> str:
    try:
        return read_contract(facts.text.encode(), facts.id).status
    except DeclarationError:
        # Approved under earlier rules and not readable today: nobody can say that it is free.
        return "unknown"


def _readers(
    products: Mapping[str, ProductFacts], contracts: frozenset[str], going: set[str]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, facts in sorted(products.items()):
        if name in going or not any(contract in facts.text for contract in contracts):
            continue
        for port in read_product(facts.text.encode(), name).input_ports:
            if port.contract_id in contracts:
                found.setdefault(port.contract_id, []).append(name)
    return {contract: tuple(names) for contract, names in found.items()}
