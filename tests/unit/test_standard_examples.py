"""Valid documents of the standards are valid here, come back byte for byte, and are no mesh contracts."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft201909Validator

from mesh.contract import validation
from mesh.contract.checks import beyond_the_schema
from mesh.contract.conformity import ODCS, ODPS, findings
from mesh.contract.reading import read_contract
from mesh.contract.yaml import read
from mesh.errors import DeclarationError

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "tests" / "examples" / "standards"
CONTRACTS = sorted(EXAMPLES.rglob("*.odcs.yaml"))
PRODUCTS = sorted(EXAMPLES.rglob("*.odps.yaml"))
OURS = sorted(
    file
    for folder in ("contracts", "domains", "platform/mesh_platform/quality/declarations")
    for suffix in ("*.odcs.yaml", "*.odps.yaml")
    for file in (ROOT / folder).rglob(suffix)
)


def test_every_version_has_an_example() -> None:
    said = {read(file.read_bytes(), file.name).data["apiVersion"] for file in (*CONTRACTS, *PRODUCTS)}
    assert said == (set(ODCS) | set(ODPS)) - {"v3.0.0", "v3.0.1"}


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.name)
def test_a_valid_contract_of_the_standard_passes(file: Path) -> None:
    assert list(findings(read(file.read_bytes(), file.name), "odcs")) == []


@pytest.mark.parametrize("file", PRODUCTS, ids=lambda file: file.name)
def test_a_valid_product_of_the_standard_passes(file: Path) -> None:
    assert list(findings(read(file.read_bytes(), file.name), "odps")) == []


@pytest.mark.parametrize("file", [*CONTRACTS, *PRODUCTS, *OURS], ids=lambda file: file.name)
def test_a_file_comes_back_byte_for_byte(file: Path) -> None:
    assert read(file.read_bytes(), file.name).raw == file.read_bytes()


@pytest.mark.parametrize("file", [*CONTRACTS, *PRODUCTS, *OURS], ids=lambda file: file.name)
def test_the_quick_answer_is_the_librarys_answer(file: Path) -> None:
    document = read(file.read_bytes(), file.name)
    family = "odcs" if file.name.endswith(".odcs.yaml") else "odps"
    for standard in ("odcs-v3.0.2", "odcs-v3.1.0", "odcs-v3.2.0", "odps-v1.0.0", "odps-v1.1.0"):
        if standard.startswith(family):
            library = Draft201909Validator(validation._schema(standard)).is_valid(document.data)
            assert validation.holds(document, standard) is library


def test_an_example_that_the_mesh_could_use_is_used() -> None:
    file = EXAMPLES / "odcs" / "library-v3.2.0.odcs.yaml"
    assert read_contract(file.read_bytes(), file.name).findings == ()


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("full-example-v3.2.0", {"MESH-C080", "MESH-C085", "MESH-C093"}),
        ("all-new-fields-v3.2.0", {"MESH-C080", "MESH-C085"}),
        ("library-v3.0.2", {"MESH-C093"}),
        ("library-v3.1.0", set()),
    ],
)
def test_what_an_example_says_about_itself_is_still_looked_at(name: str, codes: set[str]) -> None:
    document = read((EXAMPLES / "odcs" / f"{name}.odcs.yaml").read_bytes(), name)
    assert {finding.code for finding in beyond_the_schema(document)} == codes


def test_a_contract_that_is_none_of_the_mesh_is_told_that_it_is_valid() -> None:
    file = EXAMPLES / "odcs" / "library-v3.1.0.odcs.yaml"
    with pytest.raises(DeclarationError) as caught:
        read_contract(file.read_bytes(), file.name)
    assert {finding.code for finding in caught.value.findings} == {"MESH-C032"}
    assert "the file is valid ODCS; the mesh asks for more" in caught.value.why
