"""Great Expectations itself: the one module that imports it, once per process and only when asked.

The context is ephemeral, the frame is handed over at run time and never stored, progress bars and
analytics are off. Its warnings are about pandas, not about the data, so they are silenced here.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mesh_platform.quality.model import Expectation

if TYPE_CHECKING:
    import pandas

_PLACE = "mesh_expectation"
_COUNTS: Mapping[str, Any] = {"result_format": "BASIC", "partial_unexpected_count": 0}
REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """What one expectation measured: unexpected rows, or an observed value; `reason` when it could not."""

    success: bool = False
    unexpected: int | None = None
    observed: float | None = None
    reason: str = ""


class Prepared:
    """An expectation that Great Expectations has accepted. Raises ValueError when it does not."""

    def __init__(self, expectation: Expectation) -> None:
        _great_expectations()
        from great_expectations.expectations.registry import get_expectation_impl

        try:
            with warnings.catch_warnings(action="ignore"):
                self.build = get_expectation_impl(expectation.type)(**expectation.kwargs)
        except Exception as error:
            raise ValueError(f"Great Expectations refuses it: {_first_line(error)}") from error


def measure(frame: pandas.DataFrame, prepared: Sequence[Prepared]) -> list[Finding]:
    """One finding per expectation, in their order; what Great Expectations raises as a whole, it raises."""
    gx, definition = _great_expectations()
    expectations = []
    for index, one in enumerate(prepared):
        expectation = one.build.copy()
        expectation.meta = {_PLACE: index}
        expectations.append(expectation)
    with warnings.catch_warnings(action="ignore"):
        batch = definition.get_batch(batch_parameters={"dataframe": frame})
        suite = gx.ExpectationSuite(name="window", expectations=expectations)
        answer = batch.validate(suite, result_format=dict(_COUNTS))
    found = [Finding(reason="Great Expectations gave no result")] * len(prepared)
    for result in answer.results:
        found[result.expectation_config.meta[_PLACE]] = _finding(result)
    return found


def warm_up() -> None:
    """Import Great Expectations now, not when the first window waits for it."""
    _great_expectations()


@lru_cache(maxsize=1)
def _great_expectations() -> tuple[Any, Any]:
    """The module, and the one batch definition that takes a frame at run time."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with warnings.catch_warnings(action="ignore"):
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        source = context.data_sources.add_pandas("windows")
        return gx, source.add_dataframe_asset("window").add_batch_definition_whole_dataframe("window")


def _finding(result: Any) -> Finding:
    reason = _raised(result.exception_info)
    if reason:
        return Finding(reason=reason)
    facts = result.result
    observed = facts.get("observed_value")
    return Finding(
        success=bool(result.success),
        unexpected=facts.get("unexpected_count"),
        observed=float(observed) if isinstance(observed, int | float) else None,
    )


def _raised(info: Mapping[str, Any]) -> str:
    """The message of what was raised while measuring: one flat record, or one per metric."""
    for one in [info, *info.values()]:
        if isinstance(one, Mapping) and one.get("raised_exception"):
            return f"Great Expectations failed: {_first_line(one.get('exception_message', ''))}"
    return ""


def _first_line(error: object) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines)[:REASON_LENGTH] if lines else type(error).__name__
