"""Whether events keep a contract, said so that a failing test needs no second look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mesh.contract.model import Contract
from mesh.display import cell, json_line
from mesh.errors import EventError
from mesh.port import OutputPort
from mesh.rules.model import Rule, steps_of
from mesh.testing.declared import contract_around

_TOLD: Final = 5


def assert_contract(events: Any, contract: str | Contract, *, folder: Path | None = None) -> None:
    """Fail unless all events keep the contract; by `<domain>.<product>`, contract id, or the contract itself.

    `events` is all that a publisher takes. Raises AssertionError with the first events that do not, each with
    the rule, the value and the whole event; UsageError for a name that is not declared around `folder`.
    """
    __tracebackhide__ = True
    port = OutputPort(contract_around(contract, folder))
    rows = _rows(events)
    found = [(number, row, why) for number, row in enumerate(rows) if (why := _broken(port, row))]
    if found:
        named = f"{port.contract.id} {port.contract.version}"
        lines = [f"{len(found)} of {len(rows)} events do not keep {named}"]
        for number, row, why in found[:_TOLD]:
            lines += [f"  event {number}: {why}", f"    {cell(json_line(row))}"]
        if len(found) > _TOLD:
            lines.append(f"  and {len(found) - _TOLD} more")
        raise AssertionError("\n".join(lines))


def _rows(events: Any) -> list[dict[str, Any]]:
    """Events in any form as rows, none of them judged."""
    if hasattr(events, "to_dicts"):  # Polars
        return list(events.to_dicts())
    if hasattr(events, "to_pylist"):  # Arrow
        return list(events.to_pylist())
    if hasattr(events, "to_dict") and hasattr(events, "columns"):  # pandas
        return list(events.to_dict("records"))
    return [one.model_dump() if hasattr(one, "model_dump") else dict(one) for one in events]


def _broken(port: OutputPort, row: dict[str, Any]) -> str:
    from mesh.codec import to_batch

    try:
        verdict = port.guard.check(to_batch([row], port.codec))
    except EventError as error:
        return f"{error.what.removeprefix('row 0: ')}: {error.why}"
    if verdict.valid is None:
        return ""
    rules = [rule for rule in verdict.reasons(0) if rule.severity == "error"]
    return "; ".join(_told(rule, row) for rule in rules)


def _told(rule: Rule, row: dict[str, Any]) -> str:
    values = list(_values(row, steps_of(rule.path)))
    held = f", and is {cell(json_line({'': values[0]})[5:-1])}" if len(values) == 1 else ""
    return f"{rule.sentence}{held} ({rule.name!r})"


def _values(value: Any, steps: tuple[str, ...]) -> Iterator[Any]:
    """All that a path leads to."""
    if not steps:
        yield value
    elif value is not None:
        inside = value if steps[0] == "[]" else value.values() if steps[0] == "{}" else [value.get(steps[0])]
        for one in inside:
            yield from _values(one, steps[1:])
