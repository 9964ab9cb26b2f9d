"""`mesh check` and `mesh ci` as commands on a small repository; the action and the hooks call them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
import yaml
from typer.testing import CliRunner, Result

from mesh.cli.main import build
from mesh.errors import UsageError
from tests.integration.test_git_revisions import commit, git, write
from tests.unit.contract_kit import CONTRACT, PRODUCT, replaced

ROOT = Path(__file__).parents[2]
CONTRACT_FILE, PRODUCT_FILE = "contracts/ops/flights.v1.odcs.yaml", "domains/ops/flights.odps.yaml"


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    write(tmp_path, CONTRACT_FILE, CONTRACT)
    write(tmp_path, PRODUCT_FILE, PRODUCT)
    commit(tmp_path)
    monkeypatch.chdir(tmp_path)
    # Policies have tests of their own: only what a test asks for is found here.
    monkeypatch.setattr("mesh.cli.policies.policy_findings", lambda *_: ())
    monkeypatch.setattr("mesh.cli.checking.policy_findings", lambda *_: ())
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(), arguments)


def change(root: Path, file: str, *pairs: tuple[str, str]) -> None:
    write(root, file, replaced((root / file).read_text(), *pairs))


def codes(result: Result) -> list[str]:
    return [finding["code"] for finding in json.loads(result.stdout)["findings"]]


def test_what_is_not_selected_fails_nothing(mesh: Path) -> None:
    change(mesh, PRODUCT_FILE, ("version: 1.0.0\n    contractId", "version: 0.9.0\n    contractId"))
    assert codes(run("check", "--json")) == ["MESH-C062"]
    assert run("check", "ops.flights.v1").exit_code == 0
    assert run("check", "product:ops.flights").exit_code == 1


def test_only_what_changed_is_checked(mesh: Path) -> None:
    change(mesh, PRODUCT_FILE, ("version: 1.0.0\n    contractId", "version: 0.9.0\n    contractId"))
    assert run("check", "state:changed").exit_code == 1
    commit(mesh)
    assert run("check", "state:changed").exit_code == 0
    assert run("check", "state:changed", "--against", "HEAD~1").exit_code == 1


def test_an_unknown_selector_is_a_fault_of_the_command(mesh: Path) -> None:
    assert isinstance(run("check", "domain:opps").exception, UsageError)


@pytest.mark.parametrize("form", ["full", "concise", "json", "github", "junit", "sarif"])
def test_every_format_names_code_and_file(mesh: Path, form: str) -> None:
    change(mesh, CONTRACT_FILE, ("status: active", "Status: active"))
    told = run("check", "--output-format", form)
    assert told.exit_code == 1
    assert "MESH-C022" in told.stdout
    assert CONTRACT_FILE in told.stdout


def test_a_diff_changes_nothing_and_a_fix_makes_just_that(mesh: Path) -> None:
    change(mesh, CONTRACT_FILE, ("status: active", "Status: active"))
    shown = run("check", "--diff")
    assert "-Status: active\n+status: active\n" in shown.stdout
    assert "Status" in (mesh / CONTRACT_FILE).read_text()
    assert run("check", "--fix").exit_code == 0
    assert (mesh / CONTRACT_FILE).read_text() == CONTRACT
    assert run("check", "--fix").exit_code == 0
    assert (mesh / CONTRACT_FILE).read_text() == CONTRACT


def test_a_file_keeps_its_byte_order_mark(mesh: Path) -> None:
    file = mesh / CONTRACT_FILE
    file.write_bytes(b"\xef\xbb\xbf" + CONTRACT.replace("status:", "Status:").encode())
    run("check", "--fix")
    assert file.read_bytes() == b"\xef\xbb\xbf" + CONTRACT.encode()


def test_what_a_baseline_knows_fails_nothing_until_it_is_mended(mesh: Path) -> None:
    change(mesh, CONTRACT_FILE, ("status: active", "status: activ"))
    assert run("check", "--baseline", "known.json", "--write-baseline").exit_code == 0
    known = run("check", "--baseline", "known.json", "--json")
    assert (known.exit_code, json.loads(known.stdout)["known"]) == (0, 2)
    change(mesh, CONTRACT_FILE, ("status: activ", "status: active"))
    mended = json.loads(run("check", "--baseline", "known.json", "--json").stdout)
    assert [entry["code"] for entry in mended["removable"]] == ["MESH-C031", "MESH-C061"]


def test_a_baseline_that_is_not_there_is_a_fault_of_the_command(mesh: Path) -> None:
    assert isinstance(run("check", "--baseline", "none.json").exception, UsageError)


def breaking(root: Path) -> None:
    change(root, CONTRACT_FILE, ("logicalType: timestamp", "logicalType: string"))


def test_a_change_that_breaks_readers_fails_at_its_property(mesh: Path) -> None:
    breaking(mesh)
    told = run("ci", "--base", "HEAD", "--json")
    found = {finding["code"]: finding for finding in json.loads(told.stdout)["findings"]}
    assert told.exit_code == 1
    assert set(found) == {"MESH-C128", "MESH-C121"}
    line = (mesh / CONTRACT_FILE).read_text().split("\n")[found["MESH-C128"]["line"] - 1]
    assert "departed_at" in line


def test_a_change_without_its_version_fails(mesh: Path) -> None:
    text = (mesh / CONTRACT_FILE).read_text() + "      - name: gate\n        logicalType: string\n"
    write(mesh, CONTRACT_FILE, text)
    assert codes(run("ci", "--base", "HEAD", "--json")) == ["MESH-C120"]


def test_a_contract_that_cannot_be_read_is_not_gone(mesh: Path) -> None:
    write(mesh, CONTRACT_FILE, "id: [")
    assert "MESH-C124" not in codes(run("ci", "--base", "HEAD", "--json"))


def test_nothing_changed_passes(mesh: Path) -> None:
    assert run("ci", "--base", "HEAD").exit_code == 0


def test_what_cannot_fail_is_told_all_the_same(mesh: Path) -> None:
    breaking(mesh)
    told = run("ci", "--base", "HEAD", "--fail-on", "never")
    assert (told.exit_code, "MESH-C128" in told.stdout) == (0, True)


def test_pull_requests_get_annotations_a_summary_and_reports(
    mesh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking(mesh)
    write(mesh, "summary.md", "before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(mesh / "summary.md"))
    told = run("ci", "--base", "HEAD", "--junit", "j.xml", "--sarif", "s.json")
    assert re.search(rf"^::error file={CONTRACT_FILE},line=\d+,col=\d+,title=MESH-C128::", told.stdout, re.M)
    summary = (mesh / "summary.md").read_text()
    assert summary.startswith("before\n## mesh: failed\n")
    assert "| error | `MESH-C128` |" in summary
    annotated = told.stdout.count("::error ")
    assert Xml.parse(mesh / "j.xml").getroot().get("failures") == str(annotated)
    assert len(json.loads((mesh / "s.json").read_text())["runs"][0]["results"]) == annotated


def commands_of(text: str) -> set[str]:
    return set(re.findall(r"\bmesh\"? (check|ci)\b", text))


def options_of(command: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]+", run(command, "--help").stdout))


def test_the_action_calls_a_command_with_options_that_it_has() -> None:
    action: Any = yaml.safe_load((ROOT / "action.yml").read_text())
    assert {"name", "description", "inputs", "outputs", "runs"} <= set(action)
    assert action["runs"]["using"] == "composite"
    steps = action["runs"]["steps"]
    assert all("uses" in step or step["shell"] == "bash" for step in steps)
    script = steps[-1]["run"]
    assert commands_of(script) == {"ci"}
    assert set(re.findall(r"--[a-z][a-z-]+", re.split(r"mesh\"? ci", script)[1])) <= options_of("ci")
    # Whatever somebody writes into a pull request must not become part of a script.
    assert not any("${{" in step.get("run", "") for step in steps)
    named = set(re.findall(r"inputs\.([a-z-]+)", (ROOT / "action.yml").read_text()))
    assert named == set(action["inputs"])


def test_the_hooks_call_a_command_with_options_that_it_has() -> None:
    hooks: Any = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    for hook in hooks:
        assert {"id", "name", "entry", "language", "files"} <= set(hook)
        program, *words = hook["entry"].split()
        assert program == "mesh"
        assert CliRunner().invoke(build(), [*words, "--help"]).exit_code == 0
    (check,) = (hook for hook in hooks if hook["entry"] == "mesh check")
    assert re.search(check["files"], CONTRACT_FILE)
    assert re.search(check["files"], PRODUCT_FILE)
