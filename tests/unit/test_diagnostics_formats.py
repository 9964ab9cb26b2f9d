"""Findings in six formats: what people, editors and continuous integration are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest

from mesh.diagnostics import FORMATS, Format, render
from mesh.errors import Finding, Location

STANDARDS = Path(__file__).parents[1] / "standards"
FILE = "contracts/ops/flights.v1.odcs.yaml"
TEXT = "id: ops.flights.v1\nstatuss: active\ndomain: ops\n"
SOURCES = {FILE: TEXT, "contracts/ops/fine.v1.odcs.yaml": "id: ops.fine.v1\n"}
WRONG = Finding(
    code="MESH-C022",
    message="unknown key 'statuss'; did you mean 'status'?",
    where=Location(FILE, 2, 1),
    why="100 %\nsure",
    fix="rename it",
)
WARNING = Finding(code="MESH-C064", message="a <b> & ]]>", where=Location(FILE, 1, 5), severity="warning")
INFO = Finding(code="MESH-X999", message="nowhere", where="the registry", severity="info")
ALL = (WRONG, WARNING, INFO)


def test_full_shows_the_line_with_a_caret_why_and_what_next() -> None:
    assert render([WRONG], "full", SOURCES) == (
        f"{FILE}:2:1: MESH-C022 unknown key 'statuss'; did you mean 'status'?\n"
        "    |\n"
        "  2 | statuss: active\n"
        "    | ^^^^^^^\n"
        "  why:  100 %\ufffdsure\n"
        "  next: rename it\n"
    )


def test_full_without_the_text_is_told_all_the_same() -> None:
    assert "|" not in render([WRONG], "full")


@pytest.mark.parametrize("where", [Location(FILE, 99, 1), Location(FILE, 1, 500), Location("other", 1, 1)])
def test_full_shows_no_line_where_there_is_none(where: Location) -> None:
    assert "|" not in render([Finding(code="MESH-C001", message="m", where=where)], "full", SOURCES)


def test_full_crops_a_long_line_around_its_place() -> None:
    text = "x" * 1000 + " here " + "y" * 1000
    shown = render(
        [Finding(code="MESH-C001", message="m", where=Location("f", 1, 1002))], "full", {"f": text}
    )
    _, _, line, carets = shown.rstrip("\n").split("\n")
    assert len(line) < 200
    assert line[carets.index("^") : carets.rindex("^") + 1] == "here"


def test_nothing_that_a_terminal_obeys_is_told_to_it() -> None:
    hostile = Finding(
        code="MESH-C001", message="a\x1b[2Jb\u202ec", where=Location("f\x07", 1, 1), fix="\x9b1m"
    )
    for told in (render([hostile], "full", {"f\x07": "\x1b]0;x"}), render([hostile], "concise")):
        assert not set(told) & set("\x1b\x07\x9b\u202e")


def test_concise_is_one_line_each() -> None:
    assert render(ALL, "concise").splitlines() == [
        f"{FILE}:2:1: MESH-C022 unknown key 'statuss'; did you mean 'status'?",
        f"{FILE}:1:5: MESH-C064 a <b> & ]]>",
        "the registry: MESH-X999 nowhere",
    ]


def test_json_has_a_version_and_the_place_in_parts() -> None:
    told = json.loads(render(ALL, "json"))
    assert told["format_version"] == "1.0"
    first, _, last = told["findings"]
    assert (first["file"], first["line"], first["column"], first["where"]) == (FILE, 2, 1, f"{FILE}:2:1")
    assert (last["file"], last["line"], last["where"]) == (None, None, "the registry")


def test_github_commands_are_escaped() -> None:
    odd = Finding(code="MESH-C001", message="50% of a:b,c", where=Location("a,b:c%.yaml", 3, 4))
    assert render([odd, *ALL], "github").splitlines() == [
        "::error file=a%2Cb%3Ac%25.yaml,line=3,col=4,title=MESH-C001::50%25 of a:b,c",
        f"::error file={FILE},line=2,col=1,title=MESH-C022::unknown key 'statuss'; did you mean 'status'?"
        "%0Awhy: 100 %25%0Asure%0Anext: rename it",
        f"::warning file={FILE},line=1,col=5,title=MESH-C064::a <b> & ]]>",
        "::notice title=MESH-X999::the registry: nowhere",
    ]


def test_junit_has_a_case_for_each_file_and_a_failure_for_each_error() -> None:
    root = Xml.fromstring(render(ALL, "junit", SOURCES))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert set(cases) == {*SOURCES, "the registry"}
    (failure,) = root.iter("failure")
    assert (failure.get("type"), failure in list(cases[FILE])) == ("MESH-C022", True)
    assert "a <b> & ]]>" in (cases[FILE].findtext("system-out") or "")
    assert root.get("failures") == "1"


def test_junit_is_xml_whatever_stands_in_a_message() -> None:
    hostile = Finding(code="MESH-C001", message="\x00\x1b\ud800\uffff<&\"'>", where=Location("f\x08", 1, 1))
    assert "\ufffd" in (Xml.fromstring(render([hostile], "junit")).find(".//failure").get("message") or "")  # type: ignore[union-attr]


def sarif(findings: tuple[Finding, ...]) -> Any:
    return json.loads(render(findings, "sarif", SOURCES))


@pytest.mark.parametrize("findings", [(), ALL, (INFO,)])
def test_sarif_is_valid_by_the_official_schema(findings: tuple[Finding, ...]) -> None:
    schema = json.loads((STANDARDS / "sarif-2.1.0.json").read_text())
    jsonschema.validators.validator_for(schema)(schema).validate(sarif(findings))


def test_sarif_names_rules_levels_and_regions() -> None:
    (run,) = sarif(ALL)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [(rules[r["ruleIndex"]], r["level"]) for r in run["results"]] == [
        ("MESH-C022", "error"),
        ("MESH-C064", "warning"),
        ("MESH-X999", "note"),
    ]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": FILE}, "region": {"startLine": 2, "startColumn": 1}}


def test_sarif_writes_file_names_as_uris() -> None:
    odd = Finding(code="MESH-C001", message="m", where=Location("a b/ü%.yaml", 1, 1))
    place = sarif((odd,))["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%C3%BC%25.yaml"


def test_sarif_knows_a_finding_again_when_lines_move() -> None:
    moved = Finding(code=WRONG.code, message=WRONG.message, where=Location(FILE, 4, 1))
    marks = [
        json.loads(render([finding], "sarif", {FILE: text}))["runs"][0]["results"][0]["partialFingerprints"]
        for finding, text in ((WRONG, TEXT), (moved, f"# one\n# two\n{TEXT}"))
    ]
    assert marks[0] == marks[1]


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_found_is_told_in_every_format(name: Format) -> None:
    told = render([], name, SOURCES)
    assert "MESH-" not in told
