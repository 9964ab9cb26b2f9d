"""Policies as a mesh keeps them: files, Rego modules, installed packages, and the command `mesh policy`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from mesh import limits
from mesh.adapters import policies as adapter
from mesh.adapters.policies import shelf_of
from mesh.adapters.rego import RegoRule
from mesh.cli import checks, policies
from mesh.errors import UsageError
from mesh.policy import Outcome, Subject, Violation, judge
from tests.unit.contract_kit import CONTRACT
from tests.unit.policy_kit import TODAY, policy, policy_text, subject

REGO = """\
# A property needs a unit,
# so that nobody has to ask.
package mesh.units

deny contains {"msg": msg, "path": ["schema", 0, "properties", i, "name"], "fix": "name it"} if {
    some i, property in input.schema[0].properties
    not property.unit
    msg := sprintf("%s has no unit", [property.name])
}
"""
DOCUMENT = "schema:\n  - properties:\n      - {name: a, unit: m}\n      - {name: b}\n"


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mesh with one contract and no policy of its own."""
    file = tmp_path / "contracts" / "flights.v1.odcs.yaml"
    file.parent.mkdir()
    file.write_text(CONTRACT)
    (tmp_path / "policies").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MESH_POLICIES", raising=False)
    return tmp_path


def keep(mesh: Path, name: str, text: str) -> Path:
    file = mesh / "policies" / name
    file.write_text(text)
    return file


def asked(mesh: Path, name: str, text: str = DOCUMENT) -> Outcome:
    return judge(shelf_of(mesh, mesh / "policies").named(name), subject(text), TODAY)


def test_a_rego_module_denies_with_message_place_and_fix(mesh: Path) -> None:
    keep(mesh, "units.rego", REGO)
    (violation,) = asked(mesh, "units").violations
    assert violation == Violation(
        message="b has no unit", path=("schema", 0, "properties", 1, "name"), fix="name it"
    )


def test_a_rego_module_is_described_by_its_first_comment(mesh: Path) -> None:
    keep(mesh, "units.rego", REGO)
    found = shelf_of(mesh, mesh / "policies").named("units")
    assert found.description == "A property needs a unit, so that nobody has to ask."


def test_a_file_of_its_name_gives_a_rego_module_scope_and_severity(mesh: Path) -> None:
    keep(mesh, "units.rego", REGO)
    keep(mesh, "units.policy.yaml", "apiVersion: mesh/v1\nkind: Policy\nname: units\nseverity: info\n")
    assert asked(mesh, "units").severity == "info"


@pytest.mark.parametrize(
    ("rule", "messages"),
    [
        ('deny[msg] { input.status; msg := "old" }', ["old"]),
        ('deny contains "new" if { input.status }', ["new"]),
        ('violation contains {"msg": "gatekeeper"} if { input.status }', ["gatekeeper"]),
        ('deny contains msg if { input.absent; msg := "never" }', []),
        ('deny contains "exempt" if { input.mesh.kind == "product" }', []),
    ],
)
def test_both_conventions_and_both_syntaxes_of_rego_are_understood(
    mesh: Path, rule: str, messages: list[str]
) -> None:
    keep(mesh, "rego-p.rego", f"package a.b\n{rule}\n")
    found = judge(shelf_of(mesh, mesh / "policies").named("rego-p"), subject("status: active"), TODAY)
    assert [violation.message for violation in found.violations] == messages


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("package a\ndeny contains x if {", "unclosed"),
        ("deny := 1", "no package"),
        ("package a\nallow := true", "neither deny nor violation"),
    ],
)
def test_a_rego_module_that_cannot_answer_is_unknown(source: str, reason: str) -> None:
    rule = RegoRule("units.rego", source)
    outcome = judge_with(rule)
    assert outcome.verdict == "unknown"
    assert reason in outcome.reason


def judge_with(rule: Any) -> Outcome:
    return judge(replace(policy(), rule=rule), subject(DOCUMENT), TODAY)


def test_a_rego_module_without_end_is_stopped_and_unknown_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "POLICY_SECONDS", 1)
    endless = "; ".join(f"some {name} in numbers.range(0, 9000)" for name in "abc")
    rule = RegoRule("endless.rego", f"package a\ndeny contains x if {{ {endless}; x := a + b * c }}")
    assert "gave no answer in 1 s" in judge_with(rule).reason
    assert judge_with(rule).verdict == "unknown"


def test_without_the_extra_the_command_to_install_it_is_told(
    mesh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(mesh, "units.rego", REGO)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(UsageError) as told:
        shelf_of(mesh, mesh / "policies")
    assert (told.value.error_code, told.value.fix) == ("MESH-U140", 'pip install "mesh[policy]"')


@pytest.mark.parametrize("name", ["absent.rego", "../secret.rego", "/etc/passwd"])
def test_a_policy_names_only_a_module_that_lies_beside_it(mesh: Path, name: str) -> None:
    keep(mesh, "p.policy.yaml", policy_text(require=None, message=None, rego=name))
    (mesh / "secret.rego").write_text(REGO)
    assert [f.code for f in shelf_of(mesh, mesh / "policies").findings] == ["MESH-C171"]


def shouting(subject: Subject) -> Iterator[Violation]:
    """Names do not shout.

    Capital letters are hard to read.
    """
    if subject.name.isupper():
        yield Violation(message=f"{subject.name} shouts")


def broken(_subject: Subject) -> Iterator[Violation]:
    raise RuntimeError("out of order")


def careless(_subject: Subject) -> list[str]:
    return ["not a violation"]


@pytest.fixture
def packages(mesh: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mesh with an installed package that brings policies."""
    names = {"no-shouting": "shouting", "broken": "broken", "careless": "careless", "gone": "not_there"}
    entries = {n: EntryPoint(n, f"{__name__}:{value}", "mesh.policies") for n, value in names.items()}
    monkeypatch.setattr(adapter, "installed", lambda: entries)
    return mesh


def test_a_python_policy_of_an_installed_package_is_asked(packages: Path) -> None:
    found = shelf_of(packages, packages / "policies").named("no-shouting")
    assert (found.title, found.description) == ("Names do not shout.", "Capital letters are hard to read.")
    loud, quiet = (judge(found, subject("a: 1", name=name), TODAY) for name in ("A.B.V1", "a.b.v1"))
    assert [violation.message for violation in loud.violations] == ["A.B.V1 shouts"]
    assert quiet.verdict == "passed"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("broken", "RuntimeError: out of order"), ("careless", "it gave str"), ("gone", "AttributeError")],
)
def test_a_python_policy_that_fails_itself_is_unknown(packages: Path, name: str, reason: str) -> None:
    outcome = asked(packages, name)
    assert outcome.verdict == "unknown"
    assert reason in outcome.reason


def test_a_file_can_soften_and_spare_from_a_python_policy(packages: Path) -> None:
    text = "apiVersion: mesh/v1\nkind: Policy\nname: broken\nseverity: warning\n"
    keep(packages, "broken.policy.yaml", text)
    assert asked(packages, "broken").severity == "warning"


def test_a_python_policy_that_no_package_brings_is_told(mesh: Path) -> None:
    keep(mesh, "p.policy.yaml", policy_text(require=None, message=None, python="absent"))
    assert [f.code for f in shelf_of(mesh, mesh / "policies").findings] == ["MESH-C170"]


app = typer.Typer()
checks.register(app)
policies.register(app)


def run(*words: str, code: int = 0) -> str:
    ended = CliRunner().invoke(app, words, catch_exceptions=False)
    assert ended.exit_code == code, ended.output
    return ended.stdout


def answer(*words: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*words, "--json", code=code))
    assert found["format_version"] == "1.0"
    return found


def test_check_asks_the_policies(mesh: Path) -> None:
    assert "(policy owner-present)" in run("check")


def test_check_tells_a_policy_file_that_does_not_hold(mesh: Path) -> None:
    keep(mesh, "p.policy.yaml", "kind: Policy\n")
    assert "policies/p.policy.yaml:1:1: MESH-C163 apiVersion is missing" in run("check", code=1)


def test_check_fails_on_a_policy_that_is_an_error(mesh: Path) -> None:
    keep(mesh, "sample.policy.yaml", policy_text())
    assert "there is no x (policy sample)" in run("check", code=1)


def test_the_list_names_every_policy_with_its_state(mesh: Path) -> None:
    keep(
        mesh, "off.policy.yaml", "apiVersion: mesh/v1\nkind: Policy\nname: support-channel\nenabled: false\n"
    )
    states = {row["name"]: row["state"] for row in answer("policy", "list")["policies"]}
    assert (states["support-channel"], states["personal-data-expires"]) == ("off", "error")


def test_a_policy_is_shown_with_whom_it_spares(mesh: Path) -> None:
    spared = [{"subject": "ops.*", "reason": "it moves", "expires": "2099-12-31"}]
    keep(mesh, "sample.policy.yaml", policy_text(exemptions=spared, grace="2099-01-01"))
    shown = run("policy", "show", "sample")
    assert "ops.* until 2099-12-31: it moves" in shown
    assert "warning until 2099-01-01" in shown


def test_the_examples_of_a_policy_are_run(mesh: Path) -> None:
    examples = [{"name": "n", "given": {"y": 1}, "expect": "passes"}]
    file = keep(mesh, "sample.policy.yaml", policy_text(tests=examples))
    found = answer("policy", "test", str(file), code=1)
    assert [f["code"] for f in found["findings"]] == ["MESH-C169", "MESH-C168"]


def test_the_policies_that_mesh_brings_pass_their_own_tests(mesh: Path) -> None:
    assert "ok: 13 policies" in run("policy", "test")


def test_a_policy_of_an_installed_package_needs_no_examples_here(packages: Path) -> None:
    assert "no example" not in run("policy", "test")


def test_a_rego_module_needs_examples_as_other_policies_do(mesh: Path) -> None:
    keep(mesh, "units.rego", REGO)
    assert "the policy units has no example" in run("policy", "test", code=1)


def test_a_rehearsal_tells_who_would_fail_in_which_domain(mesh: Path) -> None:
    draft = mesh / "draft.policy.yaml"
    draft.write_text(policy_text(name="a-draft"))
    found = answer("policy", "rehearse", str(draft))
    assert found["rows"] == [
        {
            "policy": "a-draft",
            "domain": "ops",
            "fails": ["ops.flights.v1"],
            "in_grace": [],
            "exempt": [],
            "unknown": [],
        }
    ]


@pytest.mark.parametrize(
    ("more", "column"),
    [
        ({"grace": "2099-01-01"}, "in_grace"),
        ({"exemptions": [{"subject": "ops.*", "reason": "r", "expires": "2099-01-01"}]}, "exempt"),
        ({"require": {"path": "status", "atLeast": 1}}, "unknown"),
    ],
)
def test_a_rehearsal_tells_grace_exemptions_and_the_unknown_apart(
    mesh: Path, more: dict[str, Any], column: str
) -> None:
    draft = mesh / "draft.policy.yaml"
    draft.write_text(policy_text(**more))
    (row,) = answer("policy", "rehearse", str(draft))["rows"]
    assert row[column] == ["ops.flights.v1"]
    assert row["fails"] == []


def test_a_draft_takes_the_place_of_the_file_of_its_name(mesh: Path) -> None:
    keep(mesh, "sample.policy.yaml", policy_text())
    draft = mesh / "new-sample.policy.yaml"
    draft.write_text(policy_text(require={"path": "status", "exists": True}))
    assert answer("policy", "rehearse", str(draft))["rows"] == []


def test_a_draft_that_does_not_hold_is_not_rehearsed(mesh: Path) -> None:
    draft = mesh / "draft.policy.yaml"
    draft.write_text(policy_text(require={"path": "x"}))
    assert run("policy", "rehearse", str(draft), code=1) == ""


def test_files_are_found_from_a_folder_inside_the_mesh(mesh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = keep(mesh, "sample.policy.yaml", policy_text())
    monkeypatch.chdir(mesh / "contracts")
    assert answer("policy", "rehearse", str(file))["policies"] == 1


def test_policies_can_be_kept_elsewhere(mesh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = mesh / "common"
    elsewhere.mkdir()
    (elsewhere / "sample.policy.yaml").write_text(policy_text())
    monkeypatch.setenv("MESH_POLICIES", str(elsewhere))
    assert "sample" in run("policy", "list")
