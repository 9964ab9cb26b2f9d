"""Contracts and products together: references, duplicates, versions, owners, and parts of a mesh."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.declaration import SourceFile, declare
from mesh.errors import DeclarationError
from mesh.product import read_product
from tests.unit.contract_kit import CONTRACT, PRODUCT, contract_text, declared, field, product_text, replaced

ROOT = Path(__file__).parents[2]
AIRCRAFT = contract_text([field("a")], contract_id="fleet.aircraft.v1")


def codes(*texts: str) -> list[str]:
    return [finding.code for finding in declared(*texts).findings]


def test_a_contract_and_its_product_fit() -> None:
    found = declared(CONTRACT, PRODUCT)
    assert found.findings == ()
    assert (set(found.contracts), set(found.products)) == ({"ops.flights.v1"}, {"ops.flights"})


def test_nothing_declared_is_nothing_wrong() -> None:
    assert declared().findings == ()


def test_contracts_alone_need_no_product() -> None:
    assert codes(CONTRACT, AIRCRAFT) == []


@pytest.mark.parametrize(
    ("texts", "code", "where", "severity"),
    [
        ((CONTRACT, CONTRACT, PRODUCT), "MESH-C060", "file1.odcs.yaml", "error"),
        ((CONTRACT, PRODUCT, PRODUCT), "MESH-C060", "file2.odps.yaml", "error"),
        ((PRODUCT,), "MESH-C061", "file0.odps.yaml:11:5", "error"),
        (
            (CONTRACT, replaced(PRODUCT, ("    version: 1.0.0", "    version: 1.1.0"))),
            "MESH-C062",
            "file1.odps.yaml:10:5",
            "error",
        ),
        (
            (CONTRACT, AIRCRAFT, product_text("ops.flights", "ops.flights.v1", "fleet.aircraft.v1")),
            "MESH-C063",
            "file2.odps.yaml",
            "error",
        ),
        ((CONTRACT, AIRCRAFT, PRODUCT), "MESH-C064", "file1.odcs.yaml:3:1", "warning"),
        (
            (CONTRACT, product_text("ops.flights", reads=["fleet.aircraft.v1"])),
            "MESH-C061",
            "file1.odps.yaml",
            "error",
        ),
    ],
)
def test_what_does_not_fit_is_named(texts: tuple[str, ...], code: str, where: str, severity: str) -> None:
    (finding,) = declared(*texts).findings
    assert (finding.code, finding.severity) == (code, severity)
    assert str(finding.where).startswith(where)
    assert finding.message
    assert finding.why
    assert finding.fix


def test_a_misspelt_contract_id_comes_with_the_one_that_was_meant() -> None:
    texts = CONTRACT, replaced(PRODUCT, ("contractId: ops.flights.v1", "contractId: ops.fligths.v1"))
    assert "did you mean 'ops.flights.v1'?" in declared(*texts).findings[0].message


def reading(*fields: str) -> str:
    port = "inputPorts:\n  - name: aircraft\n    contractId: fleet.aircraft.v1\n    customProperties:\n"
    return PRODUCT + port + f"      - property: fields\n        value: [{', '.join(fields)}]\n"


def test_an_input_port_says_which_properties_it_reads() -> None:
    found = declared(CONTRACT, AIRCRAFT, product_text("fleet.aircraft"), reading("a"))
    assert found.findings == ()
    assert found.products["ops.flights"].input_ports[0].fields == ("a",)


def test_an_input_port_that_reads_what_is_not_there_is_told() -> None:
    (finding,) = declared(CONTRACT, AIRCRAFT, product_text("fleet.aircraft"), reading("a", "aa")).findings
    assert (finding.code, str(finding.where)) == ("MESH-C065", "file3.odps.yaml:15:5")
    assert "did you mean 'a'?" in finding.message


def test_a_warning_alone_does_not_stop_anything() -> None:
    found = declared(CONTRACT, AIRCRAFT, PRODUCT)
    assert found.holds
    assert found.require() is found


def test_require_raises_with_every_finding() -> None:
    found = declared(CONTRACT, CONTRACT, "kind: DataContract\n", PRODUCT)
    assert not found.holds
    with pytest.raises(DeclarationError) as caught:
        found.require()
    assert caught.value.findings == found.findings
    assert "more)" in caught.value.what


def test_one_broken_file_does_not_hide_the_others() -> None:
    found = declared("kind: DataContract\nid: [", CONTRACT, PRODUCT)
    assert [f.code for f in found.findings] == ["MESH-C012"]
    assert set(found.contracts) == {"ops.flights.v1"}


def test_an_error_of_the_avro_schema_is_told_in_the_file() -> None:
    found = declared(contract_text([field("a", "object")]))
    assert str(found.findings[0].where).startswith("file0.odcs.yaml:")


def test_the_product_of_a_contract_is_the_one_that_offers_it() -> None:
    found = declared(CONTRACT, PRODUCT)
    product = found.product_of("ops.flights.v1")
    assert product is not None
    assert product.full_name == "ops.flights"
    assert found.product_of("ops.else.v1") is None


def test_a_version_with_a_v_is_the_same_version() -> None:
    texts = CONTRACT, replaced(PRODUCT, ("    version: 1.0.0", "    version: v1.0.0"))
    assert codes(*texts) == []


def test_a_product_is_read_with_its_ports_and_people() -> None:
    text = (ROOT / "domains/punctuality/delay-causes.odps.yaml").read_bytes()
    product = read_product(text, "x.odps.yaml")
    assert [port.contract_id for port in product.output_ports] == ["punctuality.delay-causes.v1"]
    assert len(product.input_ports) == 3
    assert (product.team_name, len(product.team)) == ("Punctuality analysis", 3)
    assert product.implementation == "domains.punctuality.delay_causes:delay_causes"
    assert product.document.text.encode() == text


def test_every_declaration_of_the_example_mesh_holds() -> None:
    files = [*(ROOT / "contracts").rglob("*.yaml"), *(ROOT / "domains").rglob("*.yaml")]
    found = declare(SourceFile(str(file.relative_to(ROOT)), file.read_bytes()) for file in files)
    assert found.findings == ()
    assert len(found.contracts) + len(found.products) == len(files)
