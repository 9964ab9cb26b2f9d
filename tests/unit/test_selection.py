"""Selectors: names, domains, tags, states, and everything before or after them."""

from __future__ import annotations

import pytest

from mesh.declaration import Declaration, SourceFile, declare
from mesh.errors import UsageError
from mesh.selection import Selection, select
from tests.unit.contract_kit import contract_text, field, product_text


def sources() -> list[SourceFile]:
    """raw.flights → clean.flights → board.delays, and raw.weather beside them."""
    found = []
    reads = {"clean.flights": ["raw.flights.v1"], "board.delays": ["clean.flights.v1"]}
    for name in ("raw.flights", "raw.weather", "clean.flights", "board.delays"):
        tags = ["public"] if name.startswith("raw") else []
        status = "draft" if name == "board.delays" else "active"
        text = contract_text([field("a")], contract_id=f"{name}.v1", tags=tags, status=status)
        found.append(SourceFile(f"{name}.v1.odcs.yaml", text.encode()))
        product = product_text(name, reads=reads.get(name, ()))
        found.append(SourceFile(f"{name}.odps.yaml", product.encode()))
    return found


ALL = sources()
MESH: Declaration = declare(ALL)


def meant(*selectors: str, changed: frozenset[str] = frozenset()) -> Selection:
    return select(selectors, MESH, ALL, lambda: changed)


@pytest.mark.parametrize(
    ("selector", "products"),
    [
        ("raw.flights", {"raw.flights"}),
        ("product:raw.flights", {"raw.flights"}),
        ("raw.*", {"raw.flights", "raw.weather"}),
        ("domain:raw", {"raw.flights", "raw.weather"}),
        ("clean.flights+", {"clean.flights", "board.delays"}),
        ("+clean.flights", {"clean.flights", "raw.flights"}),
        ("+clean.flights+", {"clean.flights", "raw.flights", "board.delays"}),
        ("raw.flights.v1+", {"clean.flights", "board.delays"}),
        ("+board.delays.v1", {"board.delays", "clean.flights", "raw.flights"}),
    ],
)
def test_a_selector_means_products(selector: str, products: set[str]) -> None:
    assert meant(selector).products == products


@pytest.mark.parametrize(
    ("selector", "contracts"),
    [
        ("raw.flights.v1", {"raw.flights.v1"}),
        ("contract:raw.flights.v1", {"raw.flights.v1"}),
        ("raw.flights", {"raw.flights.v1"}),
        ("tag:public", {"raw.flights.v1", "raw.weather.v1"}),
        ("status:draft", {"board.delays.v1"}),
        ("domain:raw+", {"raw.flights.v1", "raw.weather.v1", "clean.flights.v1", "board.delays.v1"}),
    ],
)
def test_a_selector_means_contracts(selector: str, contracts: set[str]) -> None:
    assert meant(selector).contracts == contracts


def test_several_selectors_mean_what_any_of_them_means() -> None:
    assert meant("raw.weather", "status:draft").contracts == {"raw.weather.v1", "board.delays.v1"}


def test_what_changed_is_selected_with_what_is_made_from_it() -> None:
    changed = frozenset({"clean.flights.v1.odcs.yaml", "notes.md"})
    assert meant("state:changed", changed=changed).contracts == {"clean.flights.v1"}
    assert meant("state:changed+", changed=changed).products == {"board.delays"}


def test_an_avro_schema_that_changed_is_a_change_of_its_contract() -> None:
    changed = frozenset({"raw.weather.v1.avsc"})
    assert meant("state:changed", changed=changed).contracts == {"raw.weather.v1"}


def test_nothing_changed_selects_nothing() -> None:
    assert meant("state:changed").files == frozenset()


def test_git_is_not_asked_unless_a_selector_speaks_of_a_state() -> None:
    def asked() -> frozenset[str]:
        raise AssertionError

    assert select(["raw.weather"], MESH, ALL, asked).products == {"raw.weather"}


@pytest.mark.parametrize(
    ("selector", "code", "suggestion"),
    [
        ("raw.flight", "MESH-U102", "'raw.flights'"),
        ("+raw.wether+", "MESH-U102", "'raw.weather'"),
        ("product:raw.flights.v1", "MESH-U102", "'raw.flights'"),
        ("domian:raw", "MESH-U101", "'domain'"),
        ("domain:row", "MESH-U103", "'raw'"),
        ("tag:publc", "MESH-U103", "'public'"),
        ("state:change", "MESH-U101", "'changed'"),
    ],
)
def test_an_unknown_name_is_asked_back(selector: str, code: str, suggestion: str) -> None:
    with pytest.raises(UsageError) as caught:
        meant(selector)
    assert caught.value.error_code == code
    assert f"did you mean {suggestion}?" in caught.value.what


def with_broken(text: str) -> tuple[Declaration, list[SourceFile]]:
    broken = [*ALL[1:], SourceFile(ALL[0].name, text.encode())]
    return declare(broken), broken


def test_a_contract_that_does_not_hold_is_selected_by_what_it_says_of_itself() -> None:
    declared, files = with_broken(ALL[0].raw.decode().replace("status: active", "statuss: active"))
    chosen = select(["domain:raw"], declared, files)
    assert "MESH-C022" in {finding.code for finding in chosen.of(declared).findings}
    other = select(["raw.weather"], declared, files)
    assert other.of(declared).findings == ()


def test_a_file_that_does_not_say_what_it_is_belongs_to_every_selection() -> None:
    declared, files = with_broken("id: [")
    chosen = select(["raw.weather"], declared, files)
    assert {finding.code for finding in chosen.of(declared).findings} == {"MESH-C012"}


def test_a_circle_ends() -> None:
    texts = {
        "a.odps.yaml": product_text("xx.aa", reads=["xx.bb.v1"]),
        "b.odps.yaml": product_text("xx.bb", reads=["xx.aa.v1"]),
        "a.odcs.yaml": contract_text([field("f")], contract_id="xx.aa.v1"),
        "b.odcs.yaml": contract_text([field("f")], contract_id="xx.bb.v1"),
    }
    declared = declare(SourceFile(name, text.encode()) for name, text in texts.items())
    assert select(["+xx.aa"], declared).products == {"xx.aa", "xx.bb"}
