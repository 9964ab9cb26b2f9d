"""Quality rules: values, arguments and placeholders that mean something (MESH-C087…C089)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mesh.contract.elements import SchemaObject, schema_objects
from mesh.contract.model import OPERATORS
from mesh.contract.suggestion import did_you_mean
from mesh.contract.yaml import Document, Path
from mesh.errors import Finding

#: metric: the arguments it takes (ODCS, Data quality).
_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "nullValues": (),
    "missingValues": ("missingValues",),
    "invalidValues": ("validValues", "pattern"),
    "duplicateValues": ("properties",),
    "rowCount": (),
}
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
PLACEHOLDERS = ("object", "property", "table", "column")  #: the last two are the older names


def findings(document: Document) -> Iterator[Finding]:
    """MESH-C087 an operator's value, C088 a metric's arguments, C089 a placeholder that nobody fills."""
    for schema in schema_objects(document.data):
        for place, rule in _rules(schema.item, schema.path):
            yield from _whole_rule(document, rule, place, schema, None)
        for element in schema.elements():
            for place, rule in _rules(element.item, element.path):
                yield from _whole_rule(document, rule, place, schema, element.name)


def _rules(item: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for index, rule in enumerate(item.get("quality") or []):
        yield (*path, "quality", index), rule


def _whole_rule(
    document: Document, rule: Mapping[str, Any], path: Path, schema: SchemaObject, element: str | None
) -> Iterator[Finding]:
    metric = str(rule.get("metric") or rule.get("rule") or "")
    yield from _operator(document, rule, path, metric)
    if metric in _ARGUMENTS:
        for key, problem, fix in _problems(metric, rule.get("arguments") or {}, schema, element):
            yield Finding(
                code="MESH-C088",
                severity="warning",
                message=problem,
                where=document.at(*path, *key),
                why=f"{metric} takes {', '.join(_ARGUMENTS[metric]) or 'no arguments'}; "
                "rowCount is asked of a schema object, the other metrics of a property; "
                "as it stands the result is unknown, never passed",
                fix=fix,
            )
    query = rule.get("query")
    if isinstance(query, str):
        for name in dict.fromkeys(_PLACEHOLDER.findall(query.replace("${", "{"))):
            yield from _placeholder(document, name, query, (*path, "query"), element)


def _operator(document: Document, rule: Mapping[str, Any], path: Path, metric: str) -> Iterator[Finding]:
    percent = rule.get("unit") == "percent"
    for operator in OPERATORS:
        if operator not in rule or not (metric or rule.get("type") == "sql"):
            continue
        value = rule[operator]
        numbers = value if isinstance(value, list) else [value]
        countable = all(_is_number(number) for number in numbers) and numbers
        problem = ""
        if not countable and (metric or not isinstance(value, bool)):
            problem = "a number" if metric else "a number, or a boolean"
        elif operator.endswith("Between") and not numbers[0] < numbers[1]:
            problem = "two numbers, the smaller first; both ends belong to the range"
        elif percent and any(not 0 <= number <= 100 for number in numbers):
            problem = "a share of the rows, from 0 to 100, where the unit is percent"
        elif percent and metric == "rowCount":
            problem = "a number of rows: rowCount has no percentage"
        if problem:
            yield Finding(
                code="MESH-C087",
                message=f"{operator} cannot be {str(value)[:80]}",
                where=document.at(*path, operator),
                why=f"expected {problem}",
                fix="correct the value, or the unit",
            )


def _problems(
    metric: str, arguments: Mapping[str, Any], schema: SchemaObject, element: str | None
) -> Iterator[tuple[Path, str, str]]:
    allowed = _ARGUMENTS[metric]
    for name in arguments:
        if name not in allowed:
            yield (
                ("arguments", name),
                f"{metric} takes no argument {str(name)[:80]!r}" + did_you_mean(str(name), allowed),
                "rename or remove it",
            )
    whole = element is None
    if metric == "rowCount" and not whole:
        yield ("metric",), f"rowCount of the property {element!r}", "move the rule to the schema object"
    elif metric in ("nullValues", "missingValues", "invalidValues") and whole:
        yield ("metric",), f"{metric} of the whole schema object", "move the rule to a property"
    if metric == "duplicateValues" and (whole or "properties" in arguments):
        yield from _together(arguments.get("properties"), schema)
    if metric == "missingValues" and not isinstance(arguments.get("missingValues"), list):
        yield (
            ("arguments",),
            "missingValues without its list",
            "write arguments: {missingValues: [null, '']}",
        )
    if metric == "invalidValues":
        valid, pattern = arguments.get("validValues"), arguments.get("pattern")
        if not (isinstance(valid, list) or (valid is None and isinstance(pattern, str))):
            yield (
                ("arguments",),
                "invalidValues without validValues or pattern",
                "write arguments: {validValues: [a, b]}",
            )


def _together(names: Any, schema: SchemaObject) -> Iterator[tuple[Path, str, str]]:
    known = [element.name for element in schema.elements()]
    if not isinstance(names, list) or not names:
        yield (
            ("arguments",),
            "duplicateValues without its properties",
            "write arguments: {properties: [a, b]}, or move the rule to a property",
        )
        return
    for index, name in enumerate(names):
        if name not in known:
            yield (
                ("arguments", "properties", index),
                f"{schema.name} has no property {str(name)[:80]!r}" + did_you_mean(str(name), known),
                "correct the name",
            )


def _placeholder(
    document: Document, name: str, query: str, path: Path, element: str | None
) -> Iterator[Finding]:
    variable = f"${{{name}}}" in query and name not in PLACEHOLDERS
    if variable or (name in PLACEHOLDERS and not (element is None and name in ("property", "column"))):
        return
    known = name in PLACEHOLDERS
    yield Finding(
        code="MESH-C089",
        severity="warning",
        message=f"nothing stands for the placeholder {{{name}}}"
        + ("" if known else did_you_mean(name, PLACEHOLDERS[:2])),
        where=document.at(*path),
        why="a query knows {object}, and {property} when the rule stands on a property",
        fix="move the rule to the property" if known else "write the name itself",
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
