"""The shape of the house: folders, imports, sizes, codes, and the front door."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import mesh
from mesh.declaration import SourceFile, declare

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    [*(ROOT / "mesh").rglob("*.py"), *(ROOT / "platform").rglob("*.py"), *(ROOT / "domains").rglob("*.py")]
)
HEAVY = (
    "great_expectations",
    "faust",
    "pandas",
    "duckdb",
    "polars",
    "pyarrow",
    "confluent_kafka",
    "fastapi",
    "numpy",
)
LINES = 300


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_the_platform_folder_never_shadows_pythons_own_module() -> None:
    strangers = [f for f in (ROOT / "platform").rglob("*.py") if f.name.startswith(("test_", "conftest"))]
    assert strangers == []
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert not (ROOT / "tests" / "platform").exists()


def test_pythons_platform_module_answers_from_the_root_of_the_project() -> None:
    asked = "import platform; print(platform.python_version())"
    ended = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.count(".")) == (0, 2), ended.stderr


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {file.parent for file in (ROOT / "tests").rglob("*.py")}
    assert [name(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_the_front_door_is_sorted_and_opens() -> None:
    assert list(mesh.__all__) == sorted(mesh.__all__)
    for exported in mesh.__all__:
        assert getattr(mesh, exported) is not None


def test_the_front_door_says_what_is_not_behind_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = mesh.nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "module", ["mesh", "mesh.cli.main", "mesh.declaration", "mesh.plan", "mesh.apply", "mesh_platform.cli"]
)
def test_importing_pulls_in_nothing_heavy(module: str) -> None:
    asked = f"import json, sys, {module}; print(json.dumps(sorted(m.partition('.')[0] for m in sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert set(json.loads(ended.stdout)).intersection(HEAVY) == set()


@pytest.mark.parametrize("file", SOURCES, ids=name)
def test_a_module_is_short_enough_to_be_read(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= LINES


def test_every_module_says_what_it_is() -> None:
    silent = [
        name(f) for f in SOURCES if f.read_text().strip() and not ast.get_docstring(ast.parse(f.read_text()))
    ]
    assert silent == []


def test_there_are_no_modules_named_after_nothing() -> None:
    vague = {
        "utils.py",
        "util.py",
        "helpers.py",
        "helper.py",
        "common.py",
        "misc.py",
        "manager.py",
        "managers.py",
    }
    assert [name(f) for f in SOURCES if f.name in vague] == []


def test_nothing_is_left_to_do() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert [name(f) for f in SOURCES if marks.search(f.read_text())] == []


def test_no_python_object_is_ever_read_from_bytes() -> None:
    dangerous = re.compile(
        r"^\s*(import|from) (pickle|dill|joblib|marshal|shelve)\b|yaml\.(unsafe_)?load\(", re.M
    )
    assert [name(f) for f in SOURCES if dangerous.search(f.read_text())] == []


def test_every_declaration_of_the_project_holds() -> None:
    files = [*(ROOT / "contracts").rglob("*.yaml"), *(ROOT / "domains").rglob("*.yaml")]
    found = declare(SourceFile(name(file), file.read_bytes()) for file in files)
    assert found.findings == ()
    assert len(found.contracts) + len(found.products) == len(files) > 0


def codes_of(file: Path) -> Iterator[str]:
    """Codes in use: whole string literals outside of docstrings."""
    for node in ast.walk(ast.parse(file.read_text())):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"MESH-[A-Z]\d{3}", node.value)
        ):
            yield node.value


#: Codes that several packages use on purpose, for one and the same thing.
SHARED = {
    "MESH-C043": {"mesh/contract", "mesh/rules"},  # raised when compiled, told with its place by `mesh check`
    "MESH-C061": {"mesh", "mesh/cli"},  # `mesh check` of a part leaves out what only the whole can tell
    "MESH-C064": {"mesh", "mesh/cli"},
    "MESH-C081": {"mesh", "mesh/cli"},
    "MESH-G012": {"platform/mesh_platform/catalog", "platform/mesh_platform/governance"},  # no such proposal
    "MESH-P011": {"mesh", "platform/mesh_platform/quality"},  # planned again when the world has moved
    "MESH-K032": {"mesh/adapters", "platform/mesh_platform/quality"},  # a partition cannot be read
}


def test_every_code_has_one_home_and_so_one_meaning() -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for file in SOURCES:
        if file != ROOT / "mesh" / "errors.py":  # there stand the codes of whole kinds
            for code in codes_of(file):
                homes[code].add(name(file.parent))
    several = {code: folders for code, folders in homes.items() if len(folders) > 1}
    assert several == SHARED


def test_the_letter_of_a_code_is_one_that_somebody_answers_for() -> None:
    letters = {code[5] for file in SOURCES for code in codes_of(file)}
    assert letters <= set("ACEGKMPQRSUX")


@pytest.mark.xdist_group("together")
def test_tests_of_a_group_share_a_worker(request: pytest.FixtureRequest) -> None:
    """pytest-xdist groups by the end of a test's id; where it cannot set it, everything heavy runs twice."""
    if request.config.getoption("loadgroup", default=False):
        assert request.node.nodeid.endswith("@together")
