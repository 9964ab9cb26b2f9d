"""Declared against live, property by property: what was changed, removed or added behind the mesh's back.

What could not be asked is `unknown`; it is never taken for "no drift".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mesh import naming
from mesh.contract.model import Contract
from mesh.declaration import Declaration
from mesh.plan.access import wanted_grants
from mesh.plan.actual import Actual, SubjectFacts, TopicFacts, VersionFacts
from mesh.plan.changes import rules
from mesh.plan.plan import text_hash
from mesh.plan.subjects import is_missing, wanted_version
from mesh.plan.topics import differences, topic_config, wanted_topics
from mesh.plan.undeclared import undeclared
from mesh.rules.ruleset import RuleSet, count, normal

State = Literal["differs", "missing", "undeclared", "unknown"]
_HASH = 12


@dataclass(frozen=True, slots=True)
class Drift:
    """One property that is not as declared; `live` is empty where nothing is there or nothing is known."""

    state: State
    subject: str
    property: str
    declared: str
    live: str


def drift(desired: Declaration, actual: Actual) -> tuple[Drift, ...]:
    """Every difference, in the order of the declaration; undeclared things last."""
    return tuple(_all(desired, actual))


def _all(desired: Declaration, actual: Actual) -> Iterator[Drift]:
    for contract in desired.contracts.values():
        yield from _contract(contract, actual)
        yield from _topics(contract, actual)
        yield from _subject(contract, actual)
    for product in desired.products.values():
        wanted = text_hash(product.document.text)
        if "platform" in actual.unasked:
            yield Drift("unknown", product.full_name, "product", _short(wanted), "")
        elif (known := actual.products.get(product.full_name)) is None:
            yield Drift("missing", product.full_name, "product", product.version, "")
        elif known.sha256 != wanted:
            yield Drift("differs", product.full_name, "text", _short(wanted), _short(known.sha256))
    for grant in wanted_grants(desired) if actual.grants is not None else ():
        if grant not in (actual.grants or ()):
            yield Drift("missing", grant.name, "grant", str(grant), "")
    for extra in undeclared(desired, actual):
        yield Drift("undeclared", extra.name, extra.kind, "", extra.detail or "is there")


def _contract(contract: Contract, actual: Actual) -> Iterator[Drift]:
    if "platform" in actual.unasked:
        yield Drift("unknown", contract.id, "contract", str(contract.version), "")
    elif (known := actual.contracts.get(contract.id)) is None:
        yield Drift("missing", contract.id, "contract", str(contract.version), "")
    elif known.sha256 != contract.sha256:
        declared = f"{contract.version} {_short(contract.sha256)}"
        yield Drift("differs", contract.id, "contract", declared, f"{known.version} {_short(known.sha256)}")


def _topics(contract: Contract, actual: Actual) -> Iterator[Drift]:
    for name, settings in wanted_topics(contract):
        found = actual.topics.get(name)
        if "broker" in actual.unasked:
            yield Drift("unknown", name, "topic", "is there", "")
        elif found is None:
            yield Drift("missing", name, "topic", "is there", "")
        else:
            if found.partitions != settings.partitions:
                yield Drift("differs", name, "partitions", str(settings.partitions), str(found.partitions))
            wanted = topic_config(settings)
            yield from (
                _setting(name, key, value, found) for key, value in differences(wanted, found).items()
            )


def _setting(name: str, key: str, wanted: str, found: TopicFacts) -> Drift:
    live = found.config.get(key)
    # A cluster that does not show a setting has not said that it differs.
    return Drift("unknown" if live is None else "differs", name, key, wanted, live or "")


def _subject(contract: Contract, actual: Actual) -> Iterator[Drift]:
    subject, wanted = naming.value_subject(contract.topic), wanted_version(contract, actual)
    schema = wanted.schema
    if "registry" in actual.unasked:
        yield Drift("unknown", subject, "schema", schema.fullname, "")
        return
    found = actual.subjects.get(subject)
    if found is None:
        yield Drift("missing", subject, "subject", schema.fullname, "")
        return
    if found.level != contract.compatibility:
        yield Drift("differs", subject, "compatibility", contract.compatibility, found.level or "inherited")
    if is_missing(wanted, found):
        yield _version(subject, wanted, found)


def _version(subject: str, wanted: VersionFacts, found: SubjectFacts) -> Drift:
    held = [version for version in found.versions if version.schema.text == wanted.schema.text]
    if held:
        declared, live = _rules(wanted.rule_set), _rules(held[-1].rule_set)
        return Drift("differs" if live else "missing", subject, "rule set", declared or rules(0), live)
    newest = _short(found.schemas[-1].fingerprint) if found.versions else ""
    state: State = "differs" if newest else "missing"
    return Drift(state, subject, "schema", _short(wanted.schema.fingerprint), newest)


def _rules(rule_set: RuleSet | None) -> str:
    """How many rules, and a hash of what they say; empty for none."""
    said = normal(rule_set)
    if not said:
        return ""
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return f"{rules(count(said))}, {_short(digest)}"


def _short(digest: str) -> str:
    return digest[:_HASH]
