"""The documentation says what is there: commands, errors, settings, terms, links, examples."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from mesh.declaration import CONTRACT_SUFFIX, PRODUCT_SUFFIX, SourceFile, declare
from mesh.port import OutputPort
from tests.reference import DOCS, PAGES
from tests.reference.cli import commands
from tests.reference.errors import KINDS
from tests.reference.source import CODE, ROOT, errors, files

TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")
ALL = [ROOT / name for name in TOP] + sorted(DOCS.rglob("*.md"))
SETTINGS = "docs/reference/settings.md"
NOT_PYTHON = ("docker-compose.yml", "Dockerfile", "Makefile", ".ci/run")
_FENCED = re.compile(r"^```(\w*)(?: +(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def first_words() -> set[str]:
    """What may stand after `mesh`: a verb, or the name of a group of verbs."""
    return {name.split()[0] for name in commands()}


def source_text() -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in files())


pages = pytest.mark.parametrize("page", ALL, ids=name_of)


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_source_says_now(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run: python -m tests.reference"


def test_every_error_code_of_the_source_has_one_row() -> None:
    rows = Counter(re.findall(r"^\| `(MESH-[A-Z][0-9]{3})`", text("docs/reference/errors.md"), re.MULTILINE))
    assert rows == dict.fromkeys(CODE.findall(source_text()), 1)


def test_every_error_code_has_a_meaning() -> None:
    assert [code for code, told in errors().items() if not any(t.what.strip("…: ") for t in told)] == []


def test_every_kind_of_error_has_a_heading() -> None:
    assert {code[5] for code in errors()} == set(KINDS)


@pytest.mark.parametrize("name", sorted(commands()))
def test_a_command_says_what_it_does_with_an_example(name: str) -> None:
    section = text("docs/reference/cli.md").split(f"## mesh {name}\n")[1].split("\n## ")[0]
    assert f"Example: `mesh {name}" in section


@pages
def test_a_page_names_only_commands_that_exist(page: Path) -> None:
    named = set(re.findall(r"(?:^\$ |`|^)mesh ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    # A line of prose may begin with the project's name.
    assert named - first_words() <= {"is"}


def test_every_command_that_an_error_sends_people_to_exists() -> None:
    sent = {
        match for told in errors().values() for t in told for match in re.findall(r"\bmesh ([a-z]+)", t.next)
    }
    assert sent - first_words() <= {"to", "and", "with"}


def test_every_setting_of_the_source_is_documented_and_no_other() -> None:
    everything = source_text() + "".join(text(name) for name in NOT_PYTHON)
    used = set(re.findall(r"\bMESH_[A-Z]+(?:_[A-Z]+)*\b", everything))
    assert set(re.findall(r"^\| `(MESH_[A-Z_]+)`", text(SETTINGS), re.MULTILINE)) == used


def test_every_custom_property_that_is_read_is_documented() -> None:
    read = re.findall(r'custom(?:\.get\(|\[)"(\w+)"|"(\w+)" in (?:prop\.)?custom\b', source_text())
    documented = text("docs/reference/custom-properties.md")
    assert [name for pair in read for name in pair if name and f"`{name}`" not in documented] == []


def test_a_glossary_term_is_explained_once() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|", text("docs/glossary.md"), re.MULTILINE)
    terms = Counter(term.strip() for row in rows for term in row.split(","))
    assert [term for term, count in terms.items() if count > 1] == []


@pytest.mark.parametrize(
    "word", ["control log", "gate", "record rule", "window check", "dead-letter topic", "finding", "verdict"]
)
def test_a_word_of_our_own_is_in_the_glossary(word: str) -> None:
    assert f"| **{word}** |" in text("docs/glossary.md")


@pages
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pages
def test_contracts_and_products_of_a_page_hold(page: Path) -> None:
    named = [(file, body) for _, file, body in _FENCED.findall(page.read_text(encoding="utf-8"))]
    sources = [
        SourceFile(file, body.encode())
        for file, body in named
        if file.endswith((CONTRACT_SUFFIX, PRODUCT_SUFFIX)) and "kind:" in body
    ]
    found = declare(sources)
    assert [finding for finding in found.findings if finding.severity != "info"] == []
    for contract in found.contracts.values():
        assert OutputPort(contract).guard is not None


@pages
def test_every_contract_or_product_of_a_page_has_a_file_name(page: Path) -> None:
    fenced = _FENCED.findall(page.read_text(encoding="utf-8"))
    assert [
        body for _, file, body in fenced if re.search(r"^kind: Data", body, re.MULTILINE) and not file
    ] == []


@pages
def test_python_of_a_page_is_python(page: Path) -> None:
    for language, _, body in _FENCED.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            ast.parse(body)


@pytest.mark.parametrize("package", ["mesh", "platform/mesh_platform"])
def test_every_module_is_in_the_file_map(package: str) -> None:
    design = text("docs/design.md")
    prefix = "mesh/" if package == "mesh" else ""
    entries = [e for e in (ROOT / package).iterdir() if e.suffix == ".py" or (e / "__init__.py").is_file()]
    names = [f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries]
    missing = [name for name in names if f"`{prefix}{name}`" not in design]
    assert [name for name in missing if package == "mesh" or name != "__init__.py"] == []


def test_every_decision_is_short_and_in_the_design() -> None:
    design = text("docs/design.md")
    for record in sorted((DOCS / "adr").glob("*.md")):
        body = record.read_text(encoding="utf-8")
        assert f"adr/{record.name}" in design
        assert len(body.splitlines()) <= 60
        assert re.findall(r"^## (.+)$", body, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_the_readme_installs_as_the_dockerfile_does() -> None:
    dockerfile = text("Dockerfile").replace("RUN ", "").replace("&& ", "").replace(" \\\n", "\n")
    commands_of_image = [
        line.strip() for line in dockerfile.splitlines() if line.strip().startswith("pip install")
    ]
    assert commands_of_image
    assert [command for command in commands_of_image if command not in text("README.md")] == []


@pytest.mark.parametrize("page", ["README.md", "docs/guides/running.md"])
def test_the_lines_for_docker_are_those_of_the_compose_file(page: str) -> None:
    head = text("docker-compose.yml").split("\nservices:")[0]
    lines = [line.removeprefix("#   ") for line in head.splitlines() if line.startswith("#   ")]
    assert lines
    assert "\n".join(lines) in text(page)


@pages
def test_a_page_names_only_targets_of_the_makefile(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    named = re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= targets


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    assert f"\n## {version}\n" in text("CHANGELOG.md")


@pytest.mark.parametrize(
    ("page", "groups"),
    [
        ("README.md", ["data-plane"]),
        ("docs/benchmarks.md", ["data-plane", "starts", "plans", "registry", "brokers", "retained"]),
    ],
)
def test_a_page_has_one_place_for_the_figures_of_a_group(page: str, groups: list[str]) -> None:
    marks = re.findall(r"<!-- ([a-z-]+):(start|end) -->", text(page))
    assert marks == [(group, edge) for group in groups for edge in ("start", "end")]
