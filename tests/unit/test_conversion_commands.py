"""`mesh import`, `mesh export`, `mesh model` as people run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mesh.cli.main import build
from mesh.errors import MeshError, UsageError
from tests.unit.contract_kit import contract_text, field

MODEL = """\
from pydantic import BaseModel, Field


class Order(BaseModel):
    \"\"\"One order.\"\"\"

    order_id: str = Field(description="Which.")
    amount: int = Field(ge=1)
"""
SCHEMA = {
    "type": "record",
    "name": "RouteDelays",
    "namespace": "com.acme.air_traffic",
    "fields": [{"name": "route", "type": "string"}, {"name": "n", "type": ["null", "int"]}],
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "contracts" / "ops").mkdir(parents=True)
    for name in ("flights", "delays"):
        text = contract_text([field("id", primaryKey=True)], contract_id=f"ops.{name}.v1")
        (tmp_path / "contracts" / "ops" / f"{name}.v1.odcs.yaml").write_text(text)
    return tmp_path


def mesh(*arguments: str) -> None:
    build()(list(arguments), standalone_mode=False)


def code_of(*arguments: str) -> str:
    with pytest.raises(MeshError) as caught:
        mesh(*arguments)
    assert caught.value.fix
    return caught.value.error_code


def test_a_schema_becomes_a_contract_named_after_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "x.avsc").write_text(json.dumps(SCHEMA))
    mesh("import", "avro", "x.avsc", "--owner", "ada@example.org", "--key", "route")
    said = capsys.readouterr()
    assert "id: air-traffic.route-delays.v1" in said.out
    assert "username: ada@example.org" in said.out
    assert "x.avsc $.n: MESH-C105" in said.err


def test_a_model_becomes_a_contract_and_the_contract_a_model(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "shop_of_a_test.py").write_text(MODEL)
    target = "contracts/shop/orders.v1.odcs.yaml"
    named = "shop_of_a_test:Order"
    mesh("import", "pydantic", named, "--domain", "shop", "--product", "orders", "-o", target)
    mesh("model", "shop.orders")
    out = capsys.readouterr().out
    assert "class Order(BaseModel):" in out
    assert "amount: Annotated[int, Field(ge=1)]" in out


def test_a_file_that_is_there_is_not_overwritten(here: Path) -> None:
    (here / "there.html").write_text("mine")
    assert code_of("export", "html", "ops.flights.v1", "-o", "there.html") == "MESH-U118"
    assert (here / "there.html").read_text() == "mine"


@pytest.mark.parametrize("form", ["asyncapi", "avro", "html", "json-schema", "markdown"])
def test_all_contracts_go_into_a_folder(here: Path, form: str) -> None:
    mesh("export", form, "-o", "pages")
    written = sorted(file.name.split(".v1")[0] for file in (here / "pages").iterdir())
    assert written == ["ops.delays", "ops.flights"]


@pytest.mark.parametrize("name", ["ops.flights.v1", "ops.flights", "contracts/ops/flights.v1.odcs.yaml"])
def test_a_contract_is_named_by_id_product_or_file(
    here: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh("export", "json-schema", name)
    assert json.loads(capsys.readouterr().out)["$id"] == "urn:mesh:ops.flights.v1:1.0.0"


@pytest.mark.parametrize(
    ("selector", "count"), [("domain:ops", 2), ("*.flights.v1", 1), ("status:active", 2)]
)
def test_contracts_can_be_selected(here: Path, selector: str, count: int) -> None:
    mesh("export", "html", selector, "-o", "pages/")
    pages = here / "pages"
    assert count == (len(list(pages.iterdir())) if pages.is_dir() else 1)


def test_a_selector_that_means_nothing_is_a_usage_error(here: Path) -> None:
    assert code_of("export", "html", "domain:none", "-o", "pages") == "MESH-U103"


def test_what_a_format_has_no_word_for_is_said_beside_the_data(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh("export", "avro", "ops.flights")
    said = capsys.readouterr()
    assert json.loads(said.out)["name"] == "Flights"
    assert "MESH-C109 not in Avro: primaryKey of id" in said.err


def test_several_contracts_do_not_go_into_one_file(here: Path) -> None:
    assert code_of("export", "html") == "MESH-U119"
    assert code_of("export", "html", "-o", "all.html") == "MESH-U119"


def test_a_name_that_nobody_has_is_answered_with_the_nearest(here: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean 'ops\.flights\.v1'"):
        mesh("export", "html", "ops.flight.v1")


@pytest.mark.parametrize("named", ["nothing", "no_such_module:Order", "json:Nothing", "broken_of_a_test:X"])
def test_a_model_that_cannot_be_imported_is_a_usage_error(here: Path, named: str) -> None:
    (here / "broken_of_a_test.py").write_text("raise RuntimeError('on import')")
    assert code_of("import", "pydantic", named, "--domain", "shop") == "MESH-U115"


@pytest.mark.parametrize("named", ["json:JSONDecoder", "json:dumps", "pydantic:BaseModel"])
def test_what_is_no_model_is_refused(here: Path, named: str) -> None:
    assert code_of("import", "pydantic", named, "--domain", "shop") == "MESH-U116"


def test_a_domain_must_be_given_for_a_model(here: Path) -> None:
    (here / "shop_of_a_test.py").write_text(MODEL)
    assert code_of("import", "pydantic", "shop_of_a_test:Order") == "MESH-U117"


def test_a_schema_that_does_not_hold_is_refused_with_its_place(here: Path) -> None:
    (here / "x.avsc").write_text('{"type": "record", "name": "R", "fields": [{"name": "a", "type": "nope"}]}')
    with pytest.raises(MeshError) as caught:
        mesh("import", "avro", "x.avsc")
    assert caught.value.error_code == "MESH-A005"
    assert str(caught.value.where) == "x.avsc $.fields[0].type"


def test_a_contract_that_would_not_hold_is_not_written(here: Path) -> None:
    looks_ahead = MODEL.replace("BaseModel):", 'BaseModel, regex_engine="python-re"):').replace(
        'Field(description="Which.")', 'Field(pattern="(?=a)")'
    )
    (here / "other_shop_of_a_test.py").write_text(looks_ahead)
    arguments = ("import", "pydantic", "other_shop_of_a_test:Order", "--domain", "shop", "-o", "o.odcs.yaml")
    assert code_of(*arguments) == "MESH-C049"
    assert not (here / "o.odcs.yaml").exists()
