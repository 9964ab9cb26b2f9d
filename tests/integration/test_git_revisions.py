"""Declarations are read from git revisions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mesh import limits
from mesh.adapters.git import changed_since, sources_at
from mesh.errors import UsageError


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    write(tmp_path, "contracts/a.odcs.yaml", "one")
    write(tmp_path, "contracts/notes.md", "no declaration")
    write(tmp_path, "elsewhere/b.odcs.yaml", "not the mesh's")
    commit(tmp_path)
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


def test_a_revision_gives_the_declarations_it_holds(repository: Path) -> None:
    write(repository, "contracts/a.odcs.yaml", "two")
    commit(repository)
    before = list(sources_at("HEAD~1", repository))
    assert [(source.name, source.raw) for source in before] == [("contracts/a.odcs.yaml", b"one")]


def test_a_file_may_be_named_instead_of_a_folder(repository: Path) -> None:
    write(repository, "contracts/c.odcs.yaml", "other")
    commit(repository)
    (source,) = sources_at("HEAD", repository, ["contracts/c.odcs.yaml"])
    assert source.raw == b"other"


def test_files_of_any_content_come_one_by_one_and_in_order(repository: Path) -> None:
    texts = {f"contracts/n{number}.odcs.yaml": "\n" * number + "x" * (number % 3) for number in range(50)}
    for name, text in texts.items():
        write(repository, name, text)
    commit(repository)
    found = {source.name: source.raw.decode() for source in sources_at("HEAD", repository)}
    assert found == {"contracts/a.odcs.yaml": "one", **texts}


def test_a_file_that_is_too_large_is_not_read(repository: Path) -> None:
    write(repository, "contracts/b.odcs.yaml", "y" * (limits.CONTRACT_BYTES + 10))
    commit(repository)
    sizes = {source.name: len(source.raw) for source in sources_at("HEAD", repository)}
    assert sizes == {"contracts/a.odcs.yaml": 3, "contracts/b.odcs.yaml": limits.CONTRACT_BYTES + 1}


def test_reading_may_stop_in_the_middle(repository: Path) -> None:
    write(repository, "contracts/b.odcs.yaml", "two")
    commit(repository)
    reading = sources_at("HEAD", repository)
    assert next(reading).raw == b"one"
    reading.close()  # type: ignore[attr-defined]


def test_what_differs_from_a_revision_is_changed_whether_committed_or_not(repository: Path) -> None:
    write(repository, "contracts/new ü.odcs.yaml", "new")
    write(repository, "contracts/a.odcs.yaml", "two")
    assert changed_since("HEAD", repository) == {"contracts/a.odcs.yaml", "contracts/new ü.odcs.yaml"}


def test_a_mesh_may_lie_in_a_folder_of_its_repository(repository: Path) -> None:
    write(repository, "data/contracts/c.odcs.yaml", "inner")
    commit(repository)
    write(repository, "data/contracts/c.odcs.yaml", "other")
    assert [source.name for source in sources_at("HEAD", repository / "data")] == ["contracts/c.odcs.yaml"]
    assert changed_since("HEAD", repository / "data") == {"contracts/c.odcs.yaml"}


@pytest.mark.parametrize("revision", ["nothing", "--all", "", "HEAD:contracts"])
def test_what_is_no_revision_is_refused(repository: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="MESH-U025"):
        list(sources_at(revision, repository))


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="MESH-U024"):
        changed_since("HEAD", tmp_path)
