"""An `.avsc` beside a contract: it may say more than the contract, never something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesh.adapters.workspace import read_sources
from mesh.apply import apply
from mesh.config import Settings
from mesh.connection import Mesh
from mesh.contract.avro import avro_schema, derived_schema
from mesh.contract.model import Contract
from mesh.contract.reading import read_contract
from mesh.contract.refinement import refined, with_schema
from mesh.declaration import Declaration, SourceFile, declare
from mesh.errors import DeclarationError
from mesh.plan import make_plan
from tests.unit.contract_kit import contract_text, field
from tests.unit.twins import PlatformTwin, WorldTwin

AVSC = "contracts/ops/flights.v1.avsc"
ODCS = "contracts/ops/flights.v1.odcs.yaml"
TEXT = contract_text(
    [
        field("id", required=True),
        field("at", "timestamp", required=True),
        field("to", "object", required=True, properties=[field("x", "number"), field("y", "integer")]),
        field("all", "array", items={"logicalType": "object", "properties": [field("z")]}),
        field("sum", "number", required=True, customProperties=[
            {"property": "precision", "value": 9}, {"property": "scale", "value": 2}
        ]),
    ],
)  # fmt: skip


def contract() -> Contract:
    return read_contract(TEXT.encode(), ODCS)


def tree() -> Any:
    """The schema that follows from the contract, to be changed by a test."""
    return json.loads(derived_schema(contract()).text)


def in_field(name: str, **changes: Any) -> Any:
    made = tree()
    next(f for f in made["fields"] if f["name"] == name).update(changes)
    return made


def typed(name: str, kind: Any) -> Any:
    made = in_field(name, type=kind)
    next(f for f in made["fields"] if f["name"] == name).pop("default", None)
    return made


def reordered() -> Any:
    made = tree()
    made["fields"].reverse()
    return made


def refine(made: Any) -> Contract:
    return refined(contract(), json.dumps(made, indent=2).encode(), AVSC)


FIXED = {"type": "fixed", "name": "Money", "size": 8, "logicalType": "decimal", "precision": 9, "scale": 2}
PLACE = {"type": "record", "name": "Place", "fields": []}


@pytest.mark.parametrize(
    "made",
    [
        tree(),
        {**tree(), "doc": "Flights.", "aliases": ["Departures"], "name": "Flight", "namespace": "com.acme"},
        in_field("id", doc="Which.", aliases=["key"], default="none", order="ignore", owner="ops"),
        typed("at", {"type": "long", "logicalType": "timestamp-millis"}),
        typed("sum", FIXED),
        typed("to", {**tree()["fields"][2]["type"], "name": "Place", "aliases": ["Spot"]}),
        reordered(),
    ],
    ids=["same", "record", "field", "precision", "fixed", "name", "order"],
)
def test_more_words_agree(made: Any) -> None:
    found = refine(made)
    assert json.loads(avro_schema(found).text)["fields"] == made["fields"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (typed("id", "int"), "id: the contract says string, the schema int"),
        (typed("id", ["null", "string"]), "id: the contract says string, the schema null or string"),
        (
            typed("at", {"type": "long", "logicalType": "local-timestamp-micros"}),
            "at: the contract says timestamp, the schema local-timestamp",
        ),
        (typed("at", "long"), "at: the contract says timestamp, the schema long"),
        (typed("sum", {**FIXED, "scale": 3}), "sum: the contract says decimal(9,2), the schema decimal(9,3)"),
        (typed("to", PLACE), "to.x: the contract says a property, the schema no such field"),
        (
            typed("all", ["null", {"type": "array", "items": "string"}]),
            "all[]: the contract says record, the schema string",
        ),
        (
            {**tree(), "fields": [*tree()["fields"], {"name": "new", "type": "int"}]},
            "new: the contract says no such property, the schema a field",
        ),
    ],
)
def test_something_else_is_a_finding(made: Any, said: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        refine(made)
    assert (caught.value.error_code, caught.value.findings[0].message) == ("MESH-C104", said)


def test_a_finding_has_the_line_of_the_type() -> None:
    text = json.dumps(typed("at", "int"), indent=2)
    line = next(i for i, row in enumerate(text.splitlines(), 1) if '"type": "int"' in row)
    with pytest.raises(DeclarationError) as caught:
        refined(contract(), text.encode(), AVSC)
    assert str(caught.value.where).startswith(f"{AVSC}:{line}:")


def declaration(made: Any) -> Declaration:
    sources = [SourceFile(AVSC, json.dumps(made).encode()), SourceFile(ODCS, TEXT.encode())]
    return declare(sources)


def codes(found: Declaration) -> list[str]:
    return [finding.code for finding in found.findings]


def test_the_declaration_takes_the_schema_beside_a_contract() -> None:
    found = declaration(in_field("id", doc="Which."))
    assert found.findings == ()
    assert '"doc":"Which."' in avro_schema(found.contracts["ops.flights.v1"]).text


def test_what_disagrees_is_a_finding_of_the_declaration() -> None:
    assert codes(declaration(typed("id", "int"))) == ["MESH-C104"]


def test_what_is_no_schema_is_a_finding_of_the_declaration() -> None:
    assert codes(declaration({"type": "nonsense"})) == ["MESH-A005"]


def test_a_schema_without_its_contract_is_a_warning() -> None:
    found = declare([SourceFile("contracts/ops/flights.v2.avsc", b"{}")])
    assert [(f.code, f.severity) for f in found.findings] == [("MESH-C103", "warning")]


def test_a_changed_schema_is_a_changed_contract() -> None:
    hashes = {contract().sha256, refine(tree()).sha256, refine(in_field("id", doc="Which.")).sha256}
    assert len(hashes) == 3


def test_the_schema_in_force_is_the_approved_one() -> None:
    approved = refine(in_field("id", doc="Which."))
    assert with_schema(contract(), avro_schema(approved).text) == approved
    assert with_schema(contract(), derived_schema(contract()).text).refined is None


def test_the_schema_is_declared_and_registered() -> None:
    desired, twin = declaration(in_field("id", doc="Which.")), WorldTwin()
    made = make_plan(desired, twin.world.actual(desired))
    assert list(apply(made, twin.world))
    schema = avro_schema(desired.contracts["ops.flights.v1"])
    assert twin.platform.held_contracts["ops.flights.v1"].avro == schema.text
    assert make_plan(desired, twin.world.actual(desired)).changes == ()


def test_schemas_are_read_beside_contracts_and_nowhere_else(tmp_path: Path) -> None:
    for name in ("contracts/a.v1.odcs.yaml", "contracts/a.v1.avsc", "contracts/b.v1.avsc", "domains/c.avsc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    everything = read_sources([tmp_path / "contracts", tmp_path / "domains"], tmp_path)
    assert {source.name for source in everything} == {
        "contracts/a.v1.odcs.yaml",
        "contracts/a.v1.avsc",
        "contracts/b.v1.avsc",
    }
    one = read_sources([tmp_path / "contracts/a.v1.odcs.yaml"], tmp_path)
    assert {source.name for source in one} == {"contracts/a.v1.odcs.yaml", "contracts/a.v1.avsc"}


def test_who_publishes_uses_the_schema_in_force() -> None:
    schema = avro_schema(refine(in_field("id", doc="Which.")))
    with Mesh(Settings("127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:1", "t")) as mesh:
        platform = PlatformTwin()
        platform.declare_contract(ODCS, TEXT, schema.text)
        mesh.platform = platform  # type: ignore[assignment]
        assert mesh.port("ops.flights.v1").schema == schema
