"""Variables of a declaration: resolved from a mapping, never to nothing, and kept in the text."""

from __future__ import annotations

import pytest

from mesh.contract import variables
from mesh.contract.reading import read_contract
from mesh.contract.yaml import Document, read
from mesh.declaration import SourceFile, declare
from mesh.errors import DeclarationError, Finding
from tests.unit.contract_kit import CONTRACT, FILE, PRODUCT, replaced


def document(value: str, key: str = "a") -> Document:
    return read(f"{key}: {value}\n".encode(), "a.yaml")


def resolved(value: str, key: str = "a", **values: str) -> object:
    return variables.resolved(document(value, key), values).data[key]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("${X}", "one"),
        ("a${X}b${X}", "aoneboneb".removesuffix("b")),
        ("${X:-two}", "one"),
        ("${Y:-two}", "two"),
        ("${EMPTY:-two}", "two"),
        ("'${Y:-}'", ""),
        ("${Y:-a:-b $c}", "a:-b $c"),
        ("${Y:-a}}", "a}"),
        ("${NESTED}", "${X}"),
        ("'[${X}, 2]'", "[one, 2]"),
        ("$X", "$X"),
        ("$${X}", "$one"),
        ("${X", "${X"),
        ("${1X}", "${1X}"),
        ("'${ X }'", "${ X }"),
        ("'${}'", "${}"),
        ("'{X}'", "{X}"),
        ("7", 7),
    ],
)
def test_a_variable_is_replaced_by_its_value_or_its_default(written: str, read_as: object) -> None:
    assert resolved(written, X="one", EMPTY="", NESTED="${X}") == read_as


@pytest.mark.parametrize("name", ["table", "column", "object", "property"])
def test_the_placeholders_of_a_query_are_no_variables(name: str) -> None:
    query = f"select ${{{name}}} from x"
    assert resolved(query, "query", **{name: "value"}) == query
    assert resolved(query, "description", **{name: "value"}) == "select value from x"


def test_variables_are_found_at_any_depth_in_values_and_never_in_keys() -> None:
    found = read(b"a: [{b: '${X}'}]\n'${Y}': 1\n", "a.yaml")
    assert list(variables.references(found)) == [("X", ("a", 0, "b"))]


HOST = "schema:\n", "servers:\n  - {server: x, type: kafka, host: '${HOST}'}\nschema:\n"
PURPOSE = "domain: ops\n", "domain: ops\ndescription: {purpose: 'of ${PLACE}'}\n"


def findings(*pairs: tuple[str, str], **values: str) -> tuple[Finding, ...]:
    try:
        return read_contract(replaced(CONTRACT, *pairs).encode(), FILE, values).findings
    except DeclarationError as error:
        return error.findings


def test_a_variable_without_a_value_is_an_error_where_it_stands() -> None:
    (finding,) = findings(PURPOSE)
    assert (finding.code, finding.severity, str(finding.where)) == ("MESH-C095", "error", f"{FILE}:7:15")
    assert "PLACE" in finding.message
    assert "${PLACE:-default}" in finding.fix


def test_a_variable_that_is_empty_counts_as_unset() -> None:
    (finding,) = findings(PURPOSE, PLACE="")
    assert finding.code == "MESH-C095"


def test_a_server_that_the_mesh_does_not_use_may_stay_open() -> None:
    (finding,) = findings(HOST)
    assert (finding.code, finding.severity) == ("MESH-C095", "warning")


def test_a_contract_uses_the_value_and_keeps_its_text() -> None:
    text = replaced(CONTRACT, PURPOSE)
    contract = read_contract(text.encode(), FILE, {"PLACE": "secret"})
    assert contract.purpose == "of secret"
    assert contract.document.raw == text.encode()


def test_the_hash_of_a_contract_is_of_its_text_whatever_the_values() -> None:
    text = replaced(CONTRACT, PURPOSE).encode()
    one, other = (read_contract(text, FILE, {"PLACE": place}) for place in ("here", "there"))
    assert one.sha256 == other.sha256


def test_a_value_is_not_said_in_a_finding_about_the_schema() -> None:
    text = replaced(CONTRACT, PURPOSE, ("domain: ops\n", "domain: ops\nowner: '${PLACE}'\n"))
    with pytest.raises(DeclarationError) as caught:
        read_contract(text.encode(), FILE, {"PLACE": "secret"})
    assert "secret" not in str(caught.value.findings)


def test_products_have_variables_too() -> None:
    text = replaced(PRODUCT, ("domain: ops", "domain: ${DOMAIN:-ops}"))
    files = [SourceFile("a.odcs.yaml", CONTRACT.encode()), SourceFile("b.odps.yaml", text.encode())]
    assert declare(files).products.keys() == {"ops.flights"}
    assert declare(files, {"DOMAIN": "other"}).products.keys() == {"other.flights"}
