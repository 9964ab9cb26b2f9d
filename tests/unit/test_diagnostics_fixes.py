"""What `--fix` mends: a few characters, and every other byte stays."""

from __future__ import annotations

import pytest

from mesh.declaration import SourceFile, declare
from mesh.diagnostics.fixes import Edit, edits, mended
from tests.unit.contract_kit import CONTRACT, FILE, PRODUCT, replaced

PORTS = "domains/ops/flights.odps.yaml"
#: Comments, odd spacing and quotes that a writer of YAML would lose.
WRITTEN = "# a comment\n\n" + CONTRACT.replace("domain: ops\n", "domain:   'ops'   # the owner\n\n")


def found(contract: str, product: str = PRODUCT) -> tuple[Edit, ...]:
    texts = {FILE: contract, PORTS: product}
    declared = declare(SourceFile(name, text.encode()) for name, text in texts.items())
    return edits(declared.findings, texts, declared)


RULE = "        logicalTypeOptions: {format: i32, minimum: -60}\n"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("status: active", "Status: active"),
        ("status: active", "status: Active"),
        ("status: active", 'status: "ACTIVE"'),
        ("id: ops.flights.v1", "id: flights"),
        ("apiVersion: v3.2.0", "apiVersion: 3.2.0"),
        ("physicalName: ops", "physical_name: ops"),
        ("logicalType: timestamp", "logicalType: Timestamp"),
        ("logicalType: timestamp", "logicaltype: timestamp"),
        (
            RULE + "        quality: [{metric: nullValues, mustBe: 0}]\n",
            RULE + "        quality: [{rule: nullValues, mustBe: 0}]\n",
        ),
    ],
)
def test_a_contract_differs_only_in_the_place_that_was_mended(right: str, wrong: str) -> None:
    good = replaced(WRITTEN, (RULE, right)) if right.startswith(RULE) else WRITTEN
    bad = replaced(good, (right, wrong))
    after = mended(bad, found(bad))
    assert after.replace('"active"', "active") == good
    assert found(after) == ()


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_port_takes_the_version_of_its_contract_in_its_own_quotes(quote: str) -> None:
    good = replaced(
        PRODUCT, ("version: 1.0.0\n    contractId", f"version: {quote}1.0.0{quote}\n    contractId")
    )
    bad = good.replace(f"{quote}1.0.0{quote}\n    c", f"{quote}0.9.0{quote}\n    c")
    (edit,) = found(CONTRACT, bad)
    assert (edit.file, mended(bad, [edit])) == (PORTS, good)


def test_several_places_of_one_file_are_mended_together() -> None:
    bad = replaced(WRITTEN, ("logicalType: integer", "logicaltype: integer"), ("status:", "Status:"))
    assert mended(bad, found(bad)) == WRITTEN


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("status: active", "statuss: active"),  # nearly, but not the same letters
        ("status: active", "status: activ"),
        ("domain:   'ops'", "domain:   'sales'"),  # the owner is for people to say
        ("version: 1.0.0", "version: '1.0'"),
        ("status: active", "status: active\nStatus: draft"),  # the right key is there already
    ],
)
def test_what_has_more_than_one_right_answer_is_left_alone(right: str, wrong: str) -> None:
    assert found(replaced(WRITTEN, (right, wrong))) == ()


def test_windows_line_ends_and_wide_characters_stay() -> None:
    good = WRITTEN.replace("a comment", "öä 🙂").replace("\n", "\r\n")
    bad = good.replace("status: active", "Status: active")
    assert mended(bad, found(bad)) == good
