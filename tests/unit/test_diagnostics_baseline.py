"""A baseline knows findings again, whatever moves around them."""

from __future__ import annotations

import pytest

from mesh.declaration import SourceFile, declare
from mesh.diagnostics.baseline import Compared, baseline_text, compared, known_from
from mesh.errors import Finding, UsageError
from tests.unit.contract_kit import CONTRACT, FILE, replaced

BAD = replaced(CONTRACT, ("status: active", "status: activ"), ("value: P400D", "value: long"))


def findings(text: str) -> tuple[Finding, ...]:
    return declare([SourceFile(FILE, text.encode())]).findings


def beside(text: str, baseline: str, looked_at: frozenset[str] | None = None) -> Compared:
    return compared(findings(text), known_from(baseline, "b.json"), {FILE: text}, looked_at)


BASELINE = baseline_text(findings(BAD), {FILE: BAD})


def codes(found: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in found]


def test_what_was_found_before_is_known() -> None:
    assert (beside(BAD, BASELINE).new, len(beside(BAD, BASELINE).known)) == ((), 2)


def test_lines_and_items_may_be_added_above() -> None:
    moved = "# one\n# two\n" + replaced(
        BAD, ("customProperties:\n", "customProperties:\n      - {property: note, value: x}\n")
    )
    assert beside(moved, BASELINE).new == ()


def test_a_new_fault_is_new() -> None:
    worse = replaced(BAD, ("id: ops.flights.v1", "id: flights"))
    assert codes(beside(worse, BASELINE).new) == ["MESH-C036"]


def test_the_same_fault_in_a_second_place_is_new() -> None:
    worse = BAD + "      - name: other-name\n        logicalType: string\n"
    baseline = baseline_text(findings(worse), {FILE: worse})
    twice = worse + "      - name: second-name\n        logicalType: string\n"
    assert codes(beside(twice, baseline).new) == ["MESH-C038"]


def test_what_was_mended_is_removable() -> None:
    better = BAD.replace("status: activ\n", "status: active\n")
    assert [entry.code for entry in beside(better, BASELINE).removable] == ["MESH-C031"]


def test_what_was_not_looked_at_is_not_removable() -> None:
    assert beside(CONTRACT, BASELINE, frozenset()).removable == ()


@pytest.mark.parametrize("text", ["", "[]", '{"format_version": "9.9", "findings": []}', '{"findings": [1]}'])
def test_what_is_no_baseline_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="MESH-U104"):
        known_from(text, "b.json")
