"""Custom rules: `implementation: {type: expect_…, kwargs: {…}}`, read with suspicion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mesh.contract.model import Contract, QualityRule
from mesh.contract.yaml import plain, read
from mesh.errors import DeclarationError
from mesh_platform.quality.model import Expectation
from mesh_platform.quality.places import Obstacle, re2_accepts, require_property

_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_TYPE_KEYS = ("type", "expectation_type", "expectation")
_COLUMN_KEYS = ("column", "column_A", "column_B")
_REFUSED = {"row_condition", "condition_parser"}
#: Expectations of Great Expectations 1.x that look at the values of a window.
#: Left out: what needs SQL or another table, what fetches (JSON schemas), and the set of columns, which
#: the registered schema fixes for every event.
ACCEPTED = frozenset(
    {
        "expect_column_distinct_values_to_be_in_set",
        "expect_column_distinct_values_to_contain_set",
        "expect_column_distinct_values_to_equal_set",
        "expect_column_kl_divergence_to_be_less_than",
        "expect_column_max_to_be_between",
        "expect_column_mean_to_be_between",
        "expect_column_median_to_be_between",
        "expect_column_min_to_be_between",
        "expect_column_most_common_value_to_be_in_set",
        "expect_column_pair_values_a_to_be_greater_than_b",
        "expect_column_pair_values_to_be_equal",
        "expect_column_pair_values_to_be_in_set",
        "expect_column_proportion_of_non_null_values_to_be_between",
        "expect_column_proportion_of_unique_values_to_be_between",
        "expect_column_quantile_values_to_be_between",
        "expect_column_stdev_to_be_between",
        "expect_column_sum_to_be_between",
        "expect_column_unique_value_count_to_be_between",
        "expect_column_value_lengths_to_be_between",
        "expect_column_value_lengths_to_equal",
        "expect_column_value_z_scores_to_be_less_than",
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_dateutil_parseable",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_json_parseable",
        "expect_column_values_to_be_null",
        "expect_column_values_to_be_unique",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_match_regex_list",
        "expect_column_values_to_match_strftime_format",
        "expect_column_values_to_not_be_in_set",
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_not_be_outliers",
        "expect_column_values_to_not_match_regex",
        "expect_column_values_to_not_match_regex_list",
        "expect_compound_columns_to_be_unique",
        "expect_multicolumn_sum_to_equal",
        "expect_multicolumn_values_to_be_equal",
        "expect_select_column_values_to_be_unique_within_record",
        "expect_table_row_count_to_be_between",
        "expect_table_row_count_to_equal",
    }
)


def expectation_of(contract: Contract, rule: QualityRule) -> Expectation:
    """The expectation that a custom rule names; raises Obstacle."""
    if re.sub(r"[^a-z]", "", rule.engine.lower()) != "greatexpectations":
        raise Obstacle(f"rules for {rule.engine or 'an unnamed engine'} are checked by that engine")
    implementation = _as_mapping(rule.implementation)
    kind = _snake(str(next((implementation[key] for key in _TYPE_KEYS if key in implementation), "")))
    if kind not in ACCEPTED:
        raise Obstacle(f"{kind or 'no expectation'} is none that Great Expectations checks on a window")
    given = implementation.get("kwargs", {})
    if not isinstance(given, Mapping):
        raise Obstacle("kwargs must be names with values")
    kwargs = {_snake(str(name)): value for name, value in given.items()}
    if _REFUSED & kwargs.keys():
        raise Obstacle("row_condition is evaluated as code and not accepted")
    if _one_column(kind) and rule.property is not None:
        kwargs.setdefault("column", rule.property)
    _require_columns(contract, kwargs)
    for pattern in [kwargs["regex"]] if "regex" in kwargs else kwargs.get("regex_list", []):
        re2_accepts(pattern)
    if kwargs.get("match_on", "any") != "any":
        raise Obstacle("match_on: all is not asked of windows; write one rule per pattern")
    return Expectation(kind, kwargs)


def sentence(expectation: Expectation) -> str:
    """What an expectation asks: `destination: values to not be in set (value_set BQN, PSE)`."""
    kwargs = dict(expectation.kwargs)
    columns = [kwargs.pop(key) for key in _COLUMN_KEYS if key in kwargs] + kwargs.pop("column_list", [])
    words = re.sub(r"^expect_(column_pair_|column_|compound_columns_|multicolumn_)?", "", expectation.type)
    details = "; ".join(f"{name} {_listed(value)}" for name, value in kwargs.items())
    subject = f"{', '.join(map(str, columns))}: " if columns else ""
    return subject + words.replace("_", " ") + (f" ({details})" if details else "")


def _as_mapping(implementation: Any) -> Mapping[str, Any]:
    if isinstance(implementation, str):
        try:
            implementation = plain(read(implementation.encode(), "implementation").data)
        except DeclarationError as error:
            raise Obstacle(f"the implementation is no YAML: {error.what}") from None
    if not isinstance(implementation, Mapping):
        raise Obstacle("the implementation must name an expectation: {type: expect_…, kwargs: {…}}")
    return implementation


def _require_columns(contract: Contract, kwargs: Mapping[str, Any]) -> None:
    named = [kwargs[key] for key in _COLUMN_KEYS if key in kwargs]
    several = kwargs.get("column_list", [])
    for column in [*named, *(several if isinstance(several, list) else [several])]:
        require_property(contract, str(column))


def _one_column(kind: str) -> bool:
    return kind.startswith("expect_column_") and not kind.startswith("expect_column_pair_")


def _snake(name: str) -> str:
    """`minValue` and `ExpectColumnMaxToBeBetween` as Great Expectations spells them; `column_A` stays."""
    spaced = _CAPITAL.sub(r"_\1", name)
    return spaced if name in _COLUMN_KEYS else spaced.lower()


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
