"""From a contract to its window checks: pure, without Great Expectations at hand.

Every quality rule becomes a check; one that cannot be measured says why and will be unknown. The record
rules become checks too, so that one suite documents the whole contract.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mesh.contract.model import Contract, QualityRule
from mesh.contract.rule_targets import unique_rules
from mesh_platform.quality import custom, record_checks
from mesh_platform.quality.model import Expectation, WindowCheck
from mesh_platform.quality.operators import limit
from mesh_platform.quality.places import Obstacle, possible_values, re2_accepts, require_property, valid_texts
from mesh_platform.quality.questions import question
from mesh_platform.quality.record_checks import of_many

_SUBJECTS = {
    "nullValues": "nulls in {}",
    "missingValues": "missing values in {}",
    "invalidValues": "invalid values in {}",
    "duplicateValues": "repeats of {}",
    "rowCount": "events in the window",
}


def compile_checks(contract: Contract) -> tuple[WindowCheck, ...]:
    """All checks of a contract, quality rules first; their names are unique."""
    return _distinct(checks_of(contract))


def checks_of(contract: Contract) -> list[WindowCheck]:
    """The same under the names that their rules have."""
    ruled = [*contract.quality, *unique_rules(contract)]
    checks = [_quality_check(contract, rule) for rule in ruled if not of_many(rule)]
    return checks + record_checks.compile_record_checks(contract)


def suite_document(contract: Contract) -> dict[str, Any]:
    """The contract as a Great Expectations suite (JSON of 1.x); what it cannot express is named in `meta`."""
    checks = compile_checks(contract)
    return {
        "name": f"{contract.id}@{contract.version}",
        "expectations": [
            {
                "type": expectation.type,
                "kwargs": dict(expectation.kwargs),
                "severity": {"error": "critical"}.get(check.severity, check.severity),
                "meta": {"check": check.name, "origin": check.origin, "rule": check.sentence},
            }
            for check in checks
            for expectation in check.expectations
        ],
        "meta": {
            "contract": contract.id,
            "not_expressed": {check.name: check.obstacle for check in checks if check.obstacle},
        },
    }


def _quality_check(contract: Contract, rule: QualityRule) -> WindowCheck:
    check = WindowCheck(
        name=rule.name,
        property=rule.property,
        metric=rule.metric or rule.engine or rule.kind,
        origin="quality rule",
        severity=rule.severity,
        sentence=rule.description or rule.name,
        operator=rule.operator,
        threshold=rule.threshold,
        unit="percent" if rule.unit == "percent" else "rows",
        dimension=rule.dimension,
        description=rule.description,
    )
    try:
        match rule.kind:
            case "library":
                return replace(check, expectations=_library(contract, rule), sentence=_sentence(rule))
            case "custom":
                expectation = custom.expectation_of(contract, rule)
                words = custom.sentence(expectation)
                return replace(check, expectations=(expectation,), metric=expectation.type, sentence=words)
            case "sql":
                return replace(check, query=question(contract, rule), sentence=_asked(rule))
            case _:
                raise Obstacle("text rules are checked by people")
    except Obstacle as obstacle:
        return replace(check, obstacle=str(obstacle))
    except (TypeError, ValueError, AttributeError) as error:
        return replace(check, obstacle=f"the rule cannot be read: {error}")


def _library(contract: Contract, rule: QualityRule) -> tuple[Expectation, ...]:
    compile_metric = _METRICS.get(rule.metric)
    if compile_metric is None:
        raise Obstacle(f"{rule.metric!r} is no metric of the standard")
    if not rule.operator:
        raise Obstacle("the rule has no operator, so there is nothing to compare its measure with")
    return compile_metric(contract, rule)


def _nulls(contract: Contract, rule: QualityRule) -> tuple[Expectation, ...]:
    column = require_property(contract, rule.property).path
    return (Expectation("expect_column_values_to_not_be_null", {"column": column}),)


def _missing(contract: Contract, rule: QualityRule) -> tuple[Expectation, ...]:
    place = require_property(contract, rule.property)
    words = [value for value in rule.arguments.get("missingValues", []) if value is not None]
    values = possible_values(place, words)
    found = _nulls(contract, rule)
    if values:
        kwargs = {"column": place.path, "value_set": values}
        found += (Expectation("expect_column_values_to_not_be_in_set", kwargs),)
    return found


def _invalid(contract: Contract, rule: QualityRule) -> tuple[Expectation, ...]:
    place = require_property(contract, rule.property)
    column, pattern = place.path, rule.arguments.get("pattern")
    if pattern is not None:
        re2_accepts(pattern)
    if "validValues" in rule.arguments:
        valid = possible_values(place, rule.arguments["validValues"])
        # Valid is what both accept, so the pattern only thins out the list and no row counts twice.
        values = valid if pattern is None else valid_texts(pattern, valid)
        return (Expectation("expect_column_values_to_be_in_set", {"column": column, "value_set": values}),)
    if pattern is None:
        raise Obstacle("the rule names neither validValues nor a pattern")
    return (Expectation("expect_column_values_to_match_regex", {"column": column, "regex": pattern}),)


def _duplicates(contract: Contract, rule: QualityRule) -> tuple[Expectation, ...]:
    names = rule.arguments.get("properties") or [rule.property]
    columns = [require_property(contract, name).path for name in names]
    if len(columns) == 1:
        return (Expectation("expect_column_values_to_be_unique", {"column": columns[0]}),)
    return (Expectation("expect_compound_columns_to_be_unique", {"column_list": columns}),)


def _row_count(_contract: Contract, rule: QualityRule) -> tuple[Expectation, ...]:
    kwargs: Mapping[str, Any]
    match rule.operator, rule.threshold:
        case "mustBe", value:
            return (Expectation("expect_table_row_count_to_equal", {"value": value}),)
        case "mustBeBetween", (low, high):
            kwargs = {"min_value": low, "max_value": high}
        case "mustBeGreaterThan" | "mustBeGreaterOrEqualTo" as word, value:
            kwargs = {"min_value": value, "strict_min": word == "mustBeGreaterThan"}
        case "mustBeLessThan" | "mustBeLessOrEqualTo" as word, value:
            kwargs = {"max_value": value, "strict_max": word == "mustBeLessThan"}
        case _:
            # What must not be has no expectation of its own: any count is observed, the operator decides.
            kwargs = {"min_value": 0}
    return (Expectation("expect_table_row_count_to_be_between", kwargs),)


_METRICS: Mapping[str, Callable[[Contract, QualityRule], tuple[Expectation, ...]]] = {
    "nullValues": _nulls,
    "missingValues": _missing,
    "invalidValues": _invalid,
    "duplicateValues": _duplicates,
    "rowCount": _row_count,
}


def _asked(rule: QualityRule) -> str:
    what = rule.description or rule.name
    return f"{what} ({limit(rule.operator, rule.threshold, rule.unit)})" if rule.operator else what


def _sentence(rule: QualityRule) -> str:
    names = rule.arguments.get("properties") or [rule.property]
    subject = _SUBJECTS[rule.metric].format(" + ".join(map(str, names)))
    if rule.operator == "mustBe" and rule.threshold == 0:
        return f"no {subject}"
    return f"{subject} {limit(rule.operator, rule.threshold, rule.unit)}"


def _distinct(checks: list[WindowCheck]) -> tuple[WindowCheck, ...]:
    """The same checks with names that tell them apart."""
    count = Counter(check.name for check in checks)
    named = [c if count[c.name] == 1 else replace(c, name=f"{c.name} of {c.property}") for c in checks]
    seen: Counter[str] = Counter()
    found = []
    for check in named:
        seen[check.name] += 1
        turn = seen[check.name]
        found.append(check if turn == 1 else replace(check, name=f"{check.name} ({turn})"))
    return tuple(found)
