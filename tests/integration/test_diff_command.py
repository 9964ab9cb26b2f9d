"""`mesh diff` on files and git revisions: what it prints and how it ends."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from mesh.cli import diffs
from mesh.errors import DeclarationError, UsageError
from mesh.plan.actual import ContractFacts, ProductFacts
from tests.unit.contract_kit import contract_text, field, product_text

A = field("a", required=True)
FILE = "contracts/ops/flights.v1.odcs.yaml"


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one contract and its product, committed in versions 1.0.0 and 1.1.0."""
    git(tmp_path, "init", "-q", "-b", "main")
    write(tmp_path, FILE, contract_text([A]))
    write(tmp_path, "domains/ops/flights.odps.yaml", product_text())
    commit(tmp_path)
    write(tmp_path, FILE, contract_text([A, field("b")], version="1.1.0"))
    commit(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def git(root: Path, *arguments: str) -> None:
    names = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "-C", root, *names, *arguments], check=True, capture_output=True)


def write(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a change")


def run(*words: str) -> Result:
    app = typer.Typer()
    diffs.register(app)
    app.command()(lambda: None)  # with one command alone, its name would be no word
    return CliRunner().invoke(app, ["diff", *words], catch_exceptions=False)


def broken(root: Path) -> None:
    write(root, FILE, contract_text([field("b")], version="1.2.0"))


def test_without_words_the_files_are_compared_with_the_last_commit(mesh: Path) -> None:
    assert run().output == "nothing changed\n"
    broken(mesh)
    assert "1.1.0 → 1.2.0, needs 2.0.0 (a major change)" in run().output


def test_a_revision_is_compared_with_the_files_here(mesh: Path) -> None:
    assert "1.0.0 → 1.1.0, is a minor change" in run("HEAD~1").output


def test_two_revisions_are_compared_whatever_lies_here(mesh: Path) -> None:
    write(mesh, FILE, "nonsense")
    assert "b added" in run("HEAD~1", "HEAD").output


def test_one_file_is_compared_with_its_last_commit(mesh: Path) -> None:
    write(mesh, "contracts/ops/gates.v1.odcs.yaml", contract_text([A], contract_id="ops.gates.v1"))
    broken(mesh)
    printed = run(FILE).output
    assert "a removed" in printed
    assert "ops.gates" not in printed


def test_a_file_of_a_revision_is_compared_with_another_file(mesh: Path) -> None:
    write(mesh, "other.odcs.yaml", contract_text([A], contract_id="ops.flights.v2", version="2.0.0"))
    assert "1.1.0 → 2.0.0" in run(f"main:{FILE}", "other.odcs.yaml").output


def test_a_contract_that_is_not_committed_is_new(mesh: Path) -> None:
    write(mesh, "contracts/ops/gates.v1.odcs.yaml", contract_text([A], contract_id="ops.gates.v1"))
    assert "ops.gates.v1  new contract" in run().output
    assert "ops.gates.v1  new contract" in run("contracts/ops/gates.v1.odcs.yaml").output


def test_declarations_that_do_not_fit_together_can_be_compared(mesh: Path) -> None:
    write(mesh, "domains/ops/flights.odps.yaml", product_text("ops.flights", "ops.nothing.v1"))
    assert "leads to ops.nothing.v1" in run().output


def test_an_unreadable_file_does_not_pass_for_one_that_is_gone(mesh: Path) -> None:
    write(mesh, FILE, "nonsense")
    with pytest.raises(DeclarationError):
        run()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 0),
        (["--exit-code"], 1),
        (["--fail-on", "minor"], 1),
        (["--fail-on", "major"], 0),
        (["HEAD", "HEAD", "--exit-code"], 0),
    ],
)
def test_the_exit_code_says_what_was_asked_for(mesh: Path, words: list[str], code: int) -> None:
    write(mesh, FILE, contract_text([A, field("b"), field("c")], version="1.2.0"))
    assert run(*words).exit_code == code


def test_json_holds_every_reason(mesh: Path) -> None:
    broken(mesh)
    (found,) = json.loads(run("--json").output)["differences"]
    assert (found["name"], found["level"], found["needed"], found["enough"]) == (
        "ops.flights.v1",
        "major",
        "2.0.0",
        False,
    )
    assert found["changes"][0]["reasons"][0]["sentence"]


@pytest.mark.parametrize(("shown", "said"), [("markdown", "- **major** `a`"), ("html", '<ol class="diff">')])
def test_differences_are_written_for_other_places(mesh: Path, shown: str, said: str) -> None:
    broken(mesh)
    assert said in run("--output-format", shown).output


class Deployed:
    """A platform that holds one contract of these files, and one of somebody else's."""

    def __init__(self) -> None:
        texts = [contract_text([A]), contract_text([A], contract_id="others.things.v1")]
        self._contracts = {f"c{n}": ContractFacts(f"c{n}", "1.0.0", "", text) for n, text in enumerate(texts)}
        self.platform = self

    def __enter__(self) -> Deployed:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def contracts(self) -> dict[str, ContractFacts]:
        return self._contracts

    def products(self) -> dict[str, ProductFacts]:
        return {}


@pytest.mark.parametrize(("words", "shown"), [([], 2), ([FILE], 1), (["HEAD"], 2), (["HEAD~1"], 1)])
def test_what_is_deployed_is_compared_with_what_is_declared_here(
    mesh: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], shown: int
) -> None:
    monkeypatch.setattr("mesh.connection.connect", Deployed)
    found = json.loads(run("--deployed", *words, "--json").output)["differences"]
    names = {difference["name"] for difference in found}
    assert (len(found), "others.things.v1" in names) == (shown, False)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["a", "b", "c"], "MESH-U121"),
        ([FILE, "HEAD"], "MESH-U121"),
        (["--deployed", "a", "b"], "MESH-U121"),
        (["--fail-on", "some"], "MESH-U120"),
        (["no-such-revision"], "MESH-U025"),
        (["none.odcs.yaml", FILE], "MESH-U020"),
    ],
)
def test_what_cannot_be_compared_is_refused(mesh: Path, words: list[str], code: str) -> None:
    with pytest.raises(UsageError) as error:
        run(*words)
    assert error.value.error_code == code
