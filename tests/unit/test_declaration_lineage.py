"""What ties the files of a mesh together: one product per contract, lineage, relationships, ports."""

from __future__ import annotations

import pytest

from mesh.errors import Finding
from tests.unit.contract_kit import CONTRACT, PRODUCT, contract_text, declared, field, product_text, replaced

AIRCRAFT = contract_text([{**field("tail"), "id": "tail"}], contract_id="fleet.aircraft.v1").replace(
    "- name: aircraft", "- id: aircraft\n  name: aircraft"
)
FLEET = product_text("fleet.aircraft")
MADE_FROM = (
    "    contractId: ops.flights.v1\n",
    ("    contractId: ops.flights.v1\n    inputContracts: [{id: fleet.aircraft.v1, version: 1.0.0}]\n"),
)
READS = "outputPorts:", "inputPorts:\n  - {name: aircraft, contractId: fleet.aircraft.v1}\noutputPorts:"


def only(*texts: str) -> Finding:
    (finding,) = declared(*texts).findings
    return finding


def test_a_contract_has_one_product_that_offers_it() -> None:
    finding = only(CONTRACT, PRODUCT, product_text("ops.boards", "ops.flights.v1"))
    assert (finding.code, str(finding.where)) == ("MESH-C066", "file2.odps.yaml:10:3")
    assert "ops.boards offers ops.flights.v1, which ops.flights offers" in finding.message


def test_a_product_may_offer_a_contract_in_two_ports() -> None:
    assert declared(CONTRACT, product_text("ops.flights", "ops.flights.v1", "ops.flights.v1")).findings == ()


def test_lineage_that_input_ports_confirm_holds() -> None:
    assert declared(CONTRACT, replaced(PRODUCT, MADE_FROM, READS), AIRCRAFT, FLEET).findings == ()


def test_lineage_from_a_contract_that_is_not_there_is_told() -> None:
    text = replaced(PRODUCT, MADE_FROM).replace("fleet.aircraft.v1", "fleet.aircrafts.v1")
    finding = only(CONTRACT, text, AIRCRAFT, FLEET)
    assert (finding.code, str(finding.where)) == ("MESH-C061", "file1.odps.yaml:12:23")
    assert "did you mean 'fleet.aircraft.v1'?" in finding.message


def test_lineage_without_an_input_port_is_told() -> None:
    finding = only(CONTRACT, replaced(PRODUCT, MADE_FROM), AIRCRAFT, FLEET)
    assert (finding.code, finding.severity) == ("MESH-C068", "warning")


@pytest.mark.parametrize("version", ["2.0.0", "1.1.0", "latest"])
def test_lineage_from_a_version_that_is_not_declared_is_told(version: str) -> None:
    text = replaced(PRODUCT, MADE_FROM, READS).replace("version: 1.0.0}", f"version: {version}}}")
    finding = only(CONTRACT, text, AIRCRAFT, FLEET)
    assert (finding.code, finding.severity) == ("MESH-C067", "warning")


def test_a_port_is_named_once_with_its_version() -> None:
    again = (
        "    contractId: ops.flights.v1\n",
        ("    contractId: ops.flights.v1\n  - {name: flights, version: 1.0.0, contractId: ops.flights.v1}\n"),
    )
    finding = only(CONTRACT, replaced(PRODUCT, again))
    assert (finding.code, str(finding.where)) == ("MESH-C055", "file1.odps.yaml:12:6")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("domain: ops", "domain: ops\nproductCreatedTs: yesterday", "MESH-C098"),
        (
            "domain: ops",
            "domain: ops\ncustomProperties: [{property: implementaton, value: a}]",
            "MESH-C094",
        ),
        (
            "domain: ops",
            "domain: ops\nteam: {members: [{username: a, id: x}, {username: b, id: x}]}",
            "MESH-C083",
        ),
    ],
)
def test_a_product_is_checked_beyond_its_schema(old: str, new: str, code: str) -> None:
    assert only(CONTRACT, replaced(PRODUCT, (old, new))).code == code


def related(to: str) -> str:
    return replaced(
        CONTRACT,
        ("logicalType: timestamp", f"logicalType: timestamp\n        relationships: [{{to: '{to}'}}]"),
    )


@pytest.mark.parametrize(
    "to",
    [
        "file1.odcs.yaml#/schema/aircraft/properties/tail",
        "./file1.odcs.yaml#schema/aircraft/properties/tail",
        "x/../file1.odcs.yaml#schema/aircraft",
        "https://example.org/far.yaml#/schema/any/properties/thing",
    ],
)
def test_a_relationship_into_another_file_holds(to: str) -> None:
    assert declared(related(to), AIRCRAFT).findings == ()


def test_a_relationship_to_what_another_file_has_not_is_told_with_what_it_has() -> None:
    finding = only(related("file1.odcs.yaml#/schema/aircraft/properties/tial"), AIRCRAFT)
    assert (finding.code, str(finding.where)) == ("MESH-C080", "file0.odcs.yaml:26:26")
    assert "did you mean 'schema/aircraft/properties/tail'?" in finding.message


def test_a_relationship_into_a_file_that_is_not_there_is_told() -> None:
    finding = only(related("fleet/file1.odcs.yaml#/schema/aircraft/properties/tail"), AIRCRAFT)
    assert (finding.code, str(finding.where)) == ("MESH-C081", "file0.odcs.yaml:26:26")


def test_a_relationship_into_a_file_that_cannot_be_read_is_not_judged() -> None:
    found = declared(related("file1.odcs.yaml#/schema/aircraft/properties/tail"), "kind: DataContract\n")
    assert {str(finding.where).split(":")[0] for finding in found.findings} == {"file1.odcs.yaml"}
