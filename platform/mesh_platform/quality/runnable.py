"""A documented expectation in the form that is run: patterns looked up in RE2's verdicts, times as times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mesh.contract.model import Contract
from mesh.rules.model import Pattern, Required, Rule
from mesh_platform.quality.model import Expectation
from mesh_platform.quality.places import Obstacle, require_property
from mesh_platform.quality.record_checks import verdict_column

_MATCHES = {
    "expect_column_values_to_match_regex": True,
    "expect_column_values_to_not_match_regex": False,
}
_PRESENT = "expect_column_values_to_not_be_null"
_LISTS = ("expect_column_values_to_match_regex_list", "expect_column_values_to_not_match_regex_list")
_TIMES = ("min_value", "max_value", "value", "value_set")


@dataclass(frozen=True, slots=True)
class Runnable:
    """What is handed to Great Expectations, and the columns of verdicts that it looks at."""

    expectation: Expectation
    verdicts: Mapping[str, Rule] = field(default_factory=dict)


def runnable(contract: Contract, expectation: Expectation) -> Runnable:
    """The expectation as it is run; raises ValueError for a time that is none."""
    kwargs = dict(expectation.kwargs)
    if expectation.type in _MATCHES:
        rule = _pattern(kwargs["column"], kwargs.pop("regex"))
        column = verdict_column(rule)
        kwargs |= {"column": column, "value_set": [_MATCHES[expectation.type]]}
        return Runnable(Expectation("expect_column_values_to_be_in_set", kwargs), {column: rule})
    if expectation.type == _PRESENT and "." in kwargs["column"]:
        # what an absent object would have to hold is not missed
        rule = Rule(name=_PRESENT, path=kwargs["column"], check=Required())
        column = verdict_column(rule)
        in_set = Expectation("expect_column_values_to_be_in_set", {"column": column, "value_set": [True]})
        return Runnable(in_set, {column: rule})
    if expectation.type in _LISTS:
        rule = _pattern(kwargs["column"], _either(kwargs["regex_list"]))
        column = verdict_column(rule)
        kwargs = {name: value for name, value in kwargs.items() if name not in ("regex_list", "match_on")}
        kwargs |= {"column": column, "value_set": [expectation.type == _LISTS[0]]}
        return Runnable(Expectation("expect_column_values_to_be_in_set", kwargs), {column: rule})
    if _in_time(contract, kwargs.get("column")):
        kwargs |= {name: _instants(kwargs[name]) for name in _TIMES if name in kwargs}
    return Runnable(Expectation(expectation.type, kwargs))


def columns_of(expectation: Expectation) -> tuple[str, ...]:
    """The columns that an expectation looks at; none for one on the whole table."""
    kwargs = expectation.kwargs
    named = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    return (*named, *kwargs.get("column_list", ()))


def _pattern(column: str, regex: str) -> Rule:
    return Rule(name=regex, path=column, check=Pattern(regex))


def _either(patterns: Sequence[str]) -> str:
    """One pattern that matches where any of them does."""
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def _in_time(contract: Contract, column: str | None) -> bool:
    try:
        return column is not None and require_property(contract, column).in_time
    except Obstacle:
        return False


def _instants(value: Any) -> Any:
    if isinstance(value, list):
        return [_instants(one) for one in value]
    if not isinstance(value, str):
        return value
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
