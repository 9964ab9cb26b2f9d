"""`mesh ci` against a base revision: as a person runs it, and as GitHub does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = "contracts/fleet/aircraft.v1.odcs.yaml"
Run = subprocess.CompletedProcess[str]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The example mesh as a repository of its own, with one commit."""
    for folder in ("contracts", "domains"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "as it was"]):
        names = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", "-C", tmp_path, *names, *words], check=True)
    return tmp_path


def ci(clone: Path, *options: str, **env: str) -> Run:
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    return subprocess.run(
        [sys.executable, "-m", "mesh.cli", "ci", "--base", "main", *options],
        cwd=clone,
        env={**quiet, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]), **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


def edit(clone: Path, old: str, new: str) -> None:
    file = clone / CONTRACT
    text = file.read_text()
    assert text.count(old) >= 1
    file.write_text(text.replace(old, new, 1))


def codes(run: Run) -> list[str]:
    return [finding["code"] for finding in json.loads(run.stdout)["findings"]]


def test_what_did_not_change_passes_every_stage(clone: Path) -> None:
    run = ci(clone, "--json", "--fail-on", "warning")
    assert (run.returncode, json.loads(run.stdout)["outcome"]) == (0, "passed")
    assert json.loads(run.stdout)["changes"] == []


@pytest.fixture
def broken(clone: Path) -> Path:
    """The number of engines is text now, under the old version."""
    was = "logicalType: integer\n        logicalTypeOptions: {format: i32, minimum: 1, maximum: 8}"
    edit(clone, was, "logicalType: string")
    return clone


def test_a_breaking_change_is_told_by_what_breaks_and_by_the_version_it_needs(broken: Path) -> None:
    run = ci(broken, "--json")
    findings = json.loads(run.stdout)["findings"]
    (breaks,) = [finding for finding in findings if finding["code"] == "MESH-C128"]
    assert run.returncode == 1
    assert "MESH-C121" in codes(run)
    assert breaks["file"] == CONTRACT
    assert "engines" in (broken / CONTRACT).read_text().splitlines()[breaks["line"] - 1]


def test_what_could_not_be_read_at_the_base_is_told_as_unknown(clone: Path) -> None:
    whole = (clone / CONTRACT).read_text()
    (clone / CONTRACT).write_text("id: [")
    names = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "-C", clone, *names, "commit", "-qam", "broken"], check=True)
    (clone / CONTRACT).write_text(whole)
    run = ci(clone, "--json")
    assert (run.returncode, codes(run)) == (0, ["MESH-C129"])


def test_never_is_never(broken: Path) -> None:
    assert ci(broken, "--fail-on", "never").returncode == 0


def test_github_gets_annotations_and_a_summary(broken: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    run = ci(broken, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert f"::error file={CONTRACT}," in run.stdout
    assert "## mesh: failed" in summary.read_text()
    assert "MESH-C128" in summary.read_text()


def test_reports_are_written_where_they_are_asked_for(broken: Path) -> None:
    ci(broken, "--junit", "reports/mesh.xml", "--sarif", "reports/mesh.sarif")
    suite = ElementTree.parse(broken / "reports/mesh.xml").getroot()
    assert suite.findall(".//failure")
    results = json.loads((broken / "reports/mesh.sarif").read_text())["runs"][0]["results"]
    assert {result["ruleId"] for result in results} >= {"MESH-C128", "MESH-C121"}


def test_an_unknown_base_is_told_with_what_to_do(clone: Path) -> None:
    run = ci(clone, "--base", "nowhere")
    assert run.returncode == 2
    assert "MESH-U025" in run.stderr
    assert "git fetch" in run.stderr


STEPS = [step for step in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"] if "run" in step]


@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_the_action_puts_no_input_into_its_script(step: dict[str, Any]) -> None:
    assert "${{" not in step["run"]
    assert step["shell"] == "bash"
    subprocess.run(["bash", "-n", "-c", step["run"]], check=True)


def test_the_actions_own_script_runs_mesh_ci(broken: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (script,) = [step["run"] for step in STEPS if step["name"] == "mesh ci"]
    installed = tmp_path_factory.mktemp("runner") / "mesh" / "bin" / "mesh"
    installed.parent.mkdir(parents=True)
    installed.write_text(f'#!/bin/sh\nexec {sys.executable} -m mesh.cli "$@"\n')
    installed.chmod(0o755)
    names = {"BASE": "main", "FAIL_ON": "error", "BASELINE": "", "SARIF": "a.sarif", "JUNIT": "a.xml"}
    places = {
        "RUNNER_TEMP": str(installed.parents[2]),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
    }
    env = {**os.environ, **names, **places}
    done = subprocess.run(["bash", "-e", "-c", script], cwd=broken, env=env, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert (broken / "a.sarif").is_file()
    assert (broken / "a.xml").is_file()


@pytest.mark.parametrize("hook", yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()))
def test_a_pre_commit_hook_runs_a_command_that_passes_here(clone: Path, hook: dict[str, Any]) -> None:
    assert {"id", "name", "description", "entry", "language", "files"} <= set(hook)
    program, *words = hook["entry"].split()
    assert program == "mesh"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")])}
    done = subprocess.run([sys.executable, "-m", "mesh.cli", *words], cwd=clone, env=env, capture_output=True)
    assert done.returncode == 0
