"""What `mesh new` makes holds at once: standards, fit, every built-in policy, and the code runs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from mesh.declaration import Declaration, SourceFile, declare
from mesh.errors import UsageError
from mesh.fake import Fake
from mesh.policy import PolicySet, built_in, findings, subjects
from mesh.templates import NewFile, consumer, contract, domain, product, product_name
from tests.unit.contract_kit import contract_text as text_of_contract
from tests.unit.contract_kit import declared, product_text
from tests.unit.test_fake_events import CONTRACTS, example

OWNER = "ann@example.org"
TODAY = date(2026, 11, 21)


def made(name: str = "sales.big-orders", kind: str = "source", reads: str = "") -> tuple[NewFile, ...]:
    read = example().contracts[reads] if reads else None
    return product(product_name(name), owner=OWNER, kind=kind, purpose="", reads=read)


def with_example(files: Iterable[NewFile]) -> Declaration:
    """The example mesh and the new files, read together."""
    old = [
        SourceFile(thing.document.file, thing.document.text.encode())
        for things in (example().contracts.values(), example().products.values())
        for thing in things
    ]
    new = [SourceFile(file.path, file.text.encode()) for file in files if file.path.endswith(".yaml")]
    return declare([*old, *new])


def module(files: Iterable[NewFile], path: str) -> SimpleNamespace:
    """The code of a new file, run."""
    (file,) = [file for file in files if file.path == path]
    names: dict[str, Any] = {"__name__": path}
    exec(compile(file.text, path, "exec"), names)
    return SimpleNamespace(**names)


@pytest.mark.parametrize("kind", ["aggregate", "consumer"])
@pytest.mark.parametrize("reads", ["", *CONTRACTS])
def test_a_new_product_passes_every_check_and_every_policy(kind: str, reads: str) -> None:
    found = with_example(made(kind=kind if reads else "source", reads=reads))
    policies = PolicySet(tuple(policy for _, policy in built_in()))
    told = [*found.findings, *findings(policies, subjects(found), TODAY)]

    assert [str(f) for f in told if "big-orders" in str(f)] == []
    assert "sales.big-orders" in found.products


@pytest.mark.parametrize("reads", CONTRACTS)
def test_what_a_derived_product_makes_keeps_its_contract(reads: str) -> None:
    files = made(kind="aggregate", reads=reads)
    found = with_example(files).contracts
    derived = module(files, "domains/sales/big_orders.py").events(Fake(found[reads], 1).batch(50))

    port = Fake(found["sales.big-orders.v1"]).port
    batch = derived.cast(port.codec.arrow_schema).to_batches()[0]
    assert port.guard.check(batch).valid is None
    assert batch.num_rows == 50


def test_a_key_of_a_derived_product_leads_to_where_it_comes_from() -> None:
    found = with_example(made(kind="aggregate", reads="operations.departures.v1")).contracts
    departures = Fake(found["operations.departures.v1"], 1, found.values()).events(30)
    derived = Fake(found["sales.big-orders.v1"], 1, found.values()).events(30)

    assert {e["flight_id"] for e in derived} == {e["flight_id"] for e in departures}


@pytest.mark.parametrize("name", ["my-domain.class", "source.pipeline", "ab.c1"])
def test_any_name_becomes_code_that_runs(name: str) -> None:
    files = made(name)
    (path,) = [f.path for f in files if f.path.endswith(".py") and "@source" in f.text]

    assert module(files, path).events.product == name
    assert all(part.isidentifier() for part in path.removesuffix(".py").split("/"))


def test_a_consumer_handles_every_event_of_what_it_reads() -> None:
    read = example().contracts["operations.departures.v1"]
    files = consumer(product_name("reports.board"), owner=OWNER, purpose="Show delays", reads=read)
    made = module(files, "domains/reports/board.py")

    assert made.GROUP == "reports.board"
    assert all(made.handle(event) for event in Fake(read).events(20))


def test_a_domain_is_a_package_and_a_place_for_contracts() -> None:
    assert [file.path for file in domain("sales", OWNER)] == [
        "conftest.py",
        "domains/__init__.py",
        "domains/sales/__init__.py",
        "contracts/sales/.gitkeep",
    ]


def test_the_next_major_version_is_a_draft_that_its_product_offers() -> None:
    found = example()
    files = contract(
        "operations.departures.v2",
        found.contracts["operations.departures.v1"],
        found.products["operations.departures"],
    )
    both = declare(
        [
            *(SourceFile(f.path, f.text.encode()) for f in files),
            *(SourceFile(c.document.file, c.document.text.encode()) for c in found.contracts.values()),
        ]
    )

    assert [str(f) for f in both.findings if "departures" in str(f)] == []
    assert both.contracts["operations.departures.v2"].status == "draft"
    assert [port.contract_id for port in both.products["operations.departures"].output_ports] == [
        "operations.departures.v1",
        "operations.departures.v2",
    ]


def test_ports_in_one_line_are_left_to_their_author() -> None:
    found = declared(
        text_of_contract([{"name": "id", "logicalType": "string", "primaryKey": True}]),
        product_text().partition("outputPorts:")[0]
        + "outputPorts: [{name: x, contractId: ops.flights.v1}]\n",
    )

    with pytest.raises(UsageError) as caught:
        contract("ops.flights.v2", found.contracts["ops.flights.v1"], found.products["ops.flights"])
    assert caught.value.error_code == "MESH-U138"


@pytest.mark.parametrize(
    ("name", "meant"), [("Sales.Orders", "sales.orders"), ("sales.Big Orders", "sales.big-orders"), ("x", "")]
)
def test_a_name_that_cannot_be_one_gets_a_suggestion(name: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        product_name(name)
    assert caught.value.error_code == "MESH-U135"
    assert (f"did you mean {meant!r}" in str(caught.value)) is bool(meant)
