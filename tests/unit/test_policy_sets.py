"""The policies in force: what mesh brings, what a mesh's own files change, and what is asked of an estate."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from mesh.errors import UsageError
from mesh.policy import built_in, findings, findings_of, judge, of_change, subjects
from mesh.policy.cases import failures, run_cases, untested
from mesh.policy.model import Policy
from tests.unit.contract_kit import CONTRACT, PRODUCT, contract, declared, replaced
from tests.unit.policy_kit import TODAY, asked, policy, policy_text, shelf, subject

BUILT_IN = [made for _, made in built_in()]


def own(name: str = "owner-present", **more: Any) -> str:
    """A file that changes a policy that mesh brings."""
    kept = dict.fromkeys(("title", "description", "severity", "appliesTo", "require", "message"))
    return policy_text(**{**kept, "name": name, **more})


def in_force(name: str, *texts: str) -> Policy:
    made = shelf(*texts)
    assert made.findings == ()
    return made.named(name)


@pytest.mark.parametrize("made", BUILT_IN, ids=lambda made: made.name)
def test_a_policy_that_mesh_brings_says_what_its_examples_expect(made: Policy) -> None:
    assert list(failures(run_cases([made], TODAY))) == []
    assert list(untested([made])) == []


@pytest.mark.parametrize("made", BUILT_IN, ids=lambda made: made.name)
def test_a_policy_that_mesh_brings_stands_in_a_file_of_its_name(made: Policy) -> None:
    assert made.where.file == f"mesh:{made.name}.policy.yaml"


def test_without_files_the_policies_that_mesh_brings_are_in_force() -> None:
    assert [made.name for made in shelf().policies.policies] == sorted(made.name for made in BUILT_IN)


def test_a_file_of_its_own_name_adds_a_policy() -> None:
    assert in_force("sample", policy_text()).title == "It has an x"


def test_a_file_of_the_same_name_needs_only_what_differs() -> None:
    changed = in_force("owner-present", own(severity="error"))
    original = next(made for made in BUILT_IN if made.name == "owner-present")
    assert (changed.severity, changed.title) == ("error", original.title)
    assert [case.name for case in changed.cases] == [case.name for case in original.cases]


def test_a_policy_can_be_switched_off() -> None:
    off = shelf(own(enabled=False))
    assert off.named("owner-present").enabled is False
    assert "owner-present" not in [made.name for made in off.policies.of("contract")]


def test_another_rule_takes_the_place_of_the_whole_rule() -> None:
    changed = in_force(
        "personal-data-expires",
        own("personal-data-expires", require={"path": "x", "exists": True}, message="no x"),
    )
    assert judge(changed, subject("status: active"), TODAY).verdict == "failed"


def test_a_list_of_words_can_be_replaced_alone() -> None:
    changed = in_force(
        "personal-data-classified",
        own("personal-data-classified", lists={"personal": ["badge"]}),
    )
    text = "schema: [{properties: [{name: badge_no}, {name: email}]}]"
    assert [v.message.split("'")[1] for v in judge(changed, subject(text), TODAY).violations] == ["badge_no"]


def test_two_files_of_one_name_are_told() -> None:
    assert [f.code for f in shelf(policy_text(), policy_text()).findings] == ["MESH-C166"]


def test_a_file_that_does_not_hold_leaves_the_others_in_force() -> None:
    made = shelf("- nothing\n", policy_text())
    assert [f.code for f in made.findings] == ["MESH-C163"]
    assert made.named("sample")


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'owner-present'"):
        shelf().named("owner-presnt")


def test_the_hash_changes_with_every_text_and_with_nothing_else() -> None:
    assert shelf().policies.sha256 == shelf().policies.sha256
    texts = [own(severity="error"), own(enabled=False), policy_text()]
    assert len({shelf(*chosen).policies.sha256 for chosen in ([], *([text] for text in texts))}) == 4


def test_before_its_grace_ends_an_error_is_a_warning() -> None:
    graceful = policy(grace="2026-12-01")
    before, after = (judge(graceful, subject("a: 1"), day) for day in (TODAY, date(2026, 12, 1)))
    assert (before.severity, before.holds_up) == ("warning", False)
    assert (after.severity, after.holds_up) == ("error", True)
    (finding,) = findings_of(before, TODAY)
    assert "From 2026-12-01 on this is an error." in finding.why


def spared(expires: date) -> dict[str, Any]:
    return {"exemptions": [{"subject": "ops.*", "reason": "it is being rebuilt", "expires": str(expires)}]}


def test_an_exemption_spares_until_the_end_of_its_last_day() -> None:
    outcome = asked("a: 1", **spared(TODAY))
    assert (outcome.verdict, list(findings_of(outcome, TODAY))) == ("exempt", [])


def test_an_expired_exemption_spares_nobody_and_is_told() -> None:
    outcome = asked("a: 1", **spared(TODAY - timedelta(days=1)))
    (finding,) = findings_of(outcome, TODAY)
    assert (finding.code, finding.severity) == ("MESH-C160", "error")
    assert "The exemption of ops.* (it is being rebuilt) expired on 2026-11-20." in finding.why


def test_an_exemption_of_others_spares_nobody() -> None:
    made = policy(exemptions=[{"subject": "weather.*", "reason": "r", "expires": "2027-01-01"}])
    assert judge(made, subject("a: 1"), TODAY).verdict == "failed"


def test_what_cannot_be_told_of_the_exempt_is_spared_too() -> None:
    odd = asked("x: text", require={"path": "x", "atLeast": 1}, **spared(TODAY))
    assert odd.verdict == "exempt"


def codes(*texts: str) -> dict[str, list[str]]:
    """Names of violated policies by file."""
    estate = declared(*texts)
    found: dict[str, list[str]] = {}
    for finding in findings(shelf().policies, subjects(estate), TODAY):
        name = finding.message.rpartition("(policy ")[2].removesuffix(")")
        found.setdefault(str(finding.where).partition(":")[0], []).append(name)
    return found


def test_the_least_contract_is_told_what_an_active_one_owes_its_readers() -> None:
    found = codes(CONTRACT, PRODUCT)
    assert set(found["file0.odcs.yaml"]) == {
        "owner-present",
        "purpose-described",
        "properties-described",
        "service-levels-present",
        "support-channel",
        "limits-stated",
    }
    assert set(found["file1.odps.yaml"]) == {"owner-present", "purpose-described", "support-channel"}


def test_a_draft_owes_nobody_anything_yet() -> None:
    draft = ("status: active", "status: draft")
    assert codes(replaced(CONTRACT, draft), replaced(PRODUCT, draft)) == {}


def test_a_second_major_version_beside_an_active_first_is_told() -> None:
    second = CONTRACT.replace("ops.flights.v1", "ops.flights.v2").replace("version: 1.0.0", "version: 2.0.0")
    assert "major-with-migration" in codes(CONTRACT, second)["file1.odcs.yaml"]
    sla = "status: deprecated\nslaProperties: [{property: endOfSupport, value: '2027-06-30'}]"
    ending = replaced(CONTRACT, ("status: active", sla))
    assert "major-with-migration" not in codes(ending, second)["file1.odcs.yaml"]


def test_a_contract_is_in_the_scope_of_the_products_that_offer_it() -> None:
    estate = declared(CONTRACT, PRODUCT.replace("status: active", "status: active\ntype: sourceAligned"))
    seen = {one.name: one for one in subjects(estate)}
    assert seen["ops.flights.v1"].products == ("ops.flights",)
    assert seen["ops.flights.v1"].types == ("sourceAligned",)


def change(*pairs: tuple[str, str]) -> dict[str, str]:
    """The verdicts of all change policies on a change of the sample contract."""
    seen = of_change(contract(), contract(*pairs))
    return {made.name: judge(made, seen, TODAY).verdict for made in shelf().policies.of("change")}


def test_an_additive_change_passes_every_change_policy() -> None:
    assert set(change(("version: 1.0.0", "version: 1.0.1")).values()) == {"passed"}


def test_a_deprecation_without_a_day_fails() -> None:
    assert change(("status: active", "status: deprecated"))["deprecation-has-end"] == "failed"


def test_a_change_knows_its_fields_and_the_bump_of_its_version() -> None:
    seen = of_change(
        contract(), contract(("version: 1.0.0", "version: 1.1.0"), ("minimum: -60", "minimum: -90"))
    )
    assert seen.fact("bump") == "minor"
    assert [entry["subject"] for entry in seen.data["changes"]] == ["delay"]


def test_what_a_change_violates_stands_in_the_new_file() -> None:
    seen = of_change(contract(), contract(("status: active", "status: draft")))
    made = shelf().named("status-goes-forward")
    (finding,) = findings_of(judge(made, seen, TODAY), TODAY)
    assert "goes back from active to draft" in finding.message
    assert str(finding.where).startswith("contracts/ops/flights.v1.odcs.yaml:")


def test_an_example_that_is_not_met_is_told_with_what_was_said() -> None:
    wrong = policy(tests=[{"name": "an x", "given": {"y": 1}, "expect": "passes"}])
    (finding,) = failures(run_cases([wrong], TODAY))
    assert finding.code == "MESH-C168"
    assert "sample, an x: it fails: there is no x" in finding.message


def test_a_policy_without_an_example_that_fails_is_told() -> None:
    lazy = policy(tests=[{"name": "an x", "given": {"x": 1}, "expect": "passes"}])
    assert [f.message for f in untested([lazy])] == ["the policy sample has no example that fails"]


def test_examples_know_nothing_of_exemptions() -> None:
    made = policy(**spared(TODAY), tests=[{"name": "no x", "given": {"id": "ops.a.v1"}, "expect": "fails"}])
    assert [result.holds for result in run_cases([made], TODAY)] == [True]
