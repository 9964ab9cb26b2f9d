"""One contract, many engines: what each makes of its rules, and what `mesh check` says of those it cannot.

The inline guard takes every record rule (or the contract does not hold). CEL is what the registry serves to
its clients, SQL what DuckDB and other readers of the retained events can run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mesh.contract.model import Contract, QualityRule
from mesh.contract.record_rules import Written, is_record_rule, record_rules
from mesh.contract.rule_types import event_of
from mesh.errors import Finding
from mesh.rules import ruleset as sets
from mesh.rules.compilation import place_of
from mesh.rules.inexpressible import Inexpressible
from mesh.rules.model import Rule
from mesh.rules.sql import predicate
from mesh.rules.types import Object
from mesh.schema import AvroSchema


@dataclass(frozen=True, slots=True)
class RuleTargets:
    """A record rule in every engine's words, or why it has none there."""

    rule: Rule
    cel: str | Inexpressible
    sql: str | Inexpressible


def rule_targets(contract: Contract, schema: AvroSchema) -> tuple[RuleTargets, ...]:
    """Every record rule of a contract; raises DeclarationError for one that does not compile."""
    event = event_of(schema)
    found = sets.expressions(record_rules(contract), event)
    return tuple(RuleTargets(rule, cel, predicate(rule, place_of(rule, event))) for rule, cel in found)


def rule_set(contract: Contract, schema: AvroSchema) -> dict[str, Any]:
    """The `ruleSet` to register with a contract's schema; empty when CEL can say nothing of it."""
    return sets.rule_set(record_rules(contract), event_of(schema))


def window_rules(contract: Contract) -> tuple[QualityRule, ...]:
    """The quality rules that are judged over windows of events."""
    rules = [*contract.quality, *unique_rules(contract)]
    return tuple(rule for rule in rules if not is_record_rule(rule))


def unique_rules(contract: Contract) -> tuple[QualityRule, ...]:
    """`unique: true` says what a rule on duplicateValues says, where the property has none of its own."""
    ruled = {rule.property for rule in contract.quality if rule.metric == "duplicateValues"}
    return tuple(
        QualityRule(
            name=f"{prop.name} is unique",
            kind="library",
            property=prop.name,
            metric="duplicateValues",
            operator="mustBe",
            threshold=0,
            dimension="uniqueness",
            description=prop.description,
            where=prop.where,
        )
        for prop in contract.properties
        if prop.unique and prop.name not in ruled
    )


def engine_of(rule: QualityRule) -> str:
    """The engine of a custom rule in one spelling: `greatexpectations`, `soda`, `montecarlo`."""
    return re.sub(r"[^a-z0-9]", "", rule.engine.lower())


def target_findings(contract: Contract, rules: Sequence[Written], event: Object) -> Iterator[Finding]:
    """Which rules some engine will not check, severity info; `rules` are those of the contract, and compile.

    MESH-C130 the registry's clients (CEL)    MESH-C131 nobody in this mesh (another tool's rule)
    """
    where = {written.rule: written.parts[0][0] for written in rules}
    for rule, cel in sets.expressions([written.rule for written in rules], event):
        if isinstance(cel, Inexpressible):
            yield Finding(
                code="MESH-C130",
                severity="info",
                message=f"the registry's clients will not check the rule {rule.name!r}",
                where=where[rule],
                why=f"they check in CEL, and {cel.why}",
                fix="nothing, when all publish through mesh; mesh rules shows what each engine checks",
            )
    for quality in contract.quality:
        if quality.kind == "custom" and engine_of(quality) != "greatexpectations":
            yield Finding(
                code="MESH-C131",
                severity="info",
                message=f"mesh gives no verdict on the rule {quality.name!r}",
                where=quality.where,
                why=f"it is written for {quality.engine or 'an unnamed engine'}, which mesh does not run",
                fix="run it with that engine, or write it as a library, sql or greatExpectations rule",
            )
