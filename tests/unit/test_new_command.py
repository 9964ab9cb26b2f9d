"""`mesh new`: what it writes, what it never writes over, and what it asks."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh.cli.main import build
from mesh.errors import UsageError

OWNER = ("--owner", "ann@example.org")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*arguments: str) -> str:
    done = CliRunner().invoke(build(), ["new", *arguments], catch_exceptions=False, standalone_mode=False)
    if isinstance(done.exception, Exception):
        raise done.exception
    return done.stdout


def refusal(*arguments: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        new(*arguments)
    return caught.value


def test_json_names_what_was_made_and_what_comes_next(folder: Path) -> None:
    told = json.loads(new("product", "sales.orders", *OWNER, "--json"))

    assert told["next"] == "mesh check"
    assert "contracts/sales/orders.v1.odcs.yaml" in told["created"]
    assert all((folder / path).is_file() for path in told["created"])


def test_a_file_that_is_there_is_never_written_over(folder: Path) -> None:
    new("product", "sales.orders", *OWNER)
    mine = folder / "domains/sales/orders.py"
    mine.write_text("mine")

    assert refusal("product", "sales.orders", *OWNER).error_code == "MESH-U137"
    assert mine.read_text() == "mine"
    new("product", "sales.orders", *OWNER, "--force")
    assert "@source" in mine.read_text()


def test_nothing_is_written_when_one_file_is_in_the_way(folder: Path) -> None:
    (folder / "domains/sales").mkdir(parents=True)
    (folder / "domains/sales/orders.py").write_text("mine")

    refusal("product", "sales.orders", *OWNER)
    assert [p.name for p in folder.rglob("*") if p.is_file()] == ["orders.py"]


def test_the_owner_of_a_domain_answers_for_its_products(folder: Path) -> None:
    new("domain", "sales", "--owner", "bo@example.org")
    new("product", "sales.orders")

    assert "bo@example.org" in (folder / "contracts/sales/orders.v1.odcs.yaml").read_text()


def test_a_product_read_by_a_wrong_name_gets_a_suggestion() -> None:
    new("product", "sales.orders", *OWNER)

    assert "did you mean 'sales.orders'" in str(refusal("product", "sales.late", "--reads", "sales.order"))


def test_a_next_version_changes_the_product_that_offers_it(folder: Path) -> None:
    new("product", "sales.orders", *OWNER)

    assert "~ domains/sales/orders.odps.yaml" in new("contract", "sales.orders.v2")
    assert "sales.orders.v2" in (folder / "domains/sales/orders.odps.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("product", "sales.orders"), "MESH-U001"),
        (("product", "sales.orders", "--owner", "nobody"), "MESH-U136"),
        (("product", "sales.late", "--type", "agregate", *OWNER), "MESH-U001"),
        (("product", "sales.late", "--type", "aggregate", *OWNER), "MESH-U001"),
        (("domain", "Sales!", *OWNER), "MESH-U135"),
        (("contract", "sales.orders"), "MESH-U010"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_way_out(arguments: tuple[str, ...], code: str) -> None:
    refused = refusal(*arguments)

    assert refused.error_code == code
    assert refused.why
    assert refused.fix or code == "MESH-U010"


def test_a_contract_without_a_product_is_made_by_making_the_product() -> None:
    new("product", "sales.orders", *OWNER)

    assert refusal("contract", "sales.returns.v1").fix == "mesh new product sales.returns"


def test_a_person_at_a_terminal_is_asked(folder: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mesh.cli", "new", "product"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder
    ) as asking:
        os.close(theirs)
        os.write(ours, b"sales.orders\nsource\nann@example.org\nAll orders of the shop.\n")
        printed, _ = asking.communicate(timeout=60)
        os.close(ours)

    assert asking.returncode == 0, printed
    assert "All orders of the shop." in (folder / "contracts/sales/orders.v1.odcs.yaml").read_text()
