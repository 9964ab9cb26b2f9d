"""Commands of other packages are found as importlib.metadata finds them."""

from __future__ import annotations

import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from mesh.cli.joining import GROUP, entries

TEXT = """[console_scripts]
other = a:b

# who joins
[mesh.commands]
shop = shop.cli:commands
# gone = gone.cli:commands
lake=lake:join

[mesh.commands.more]
no = no:no
"""
FOUND = [("shop", "shop.cli:commands"), ("lake", "lake:join")]


def installed(folder: Path, name: str = "shop-1.0.dist-info", text: str = TEXT) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "entry_points.txt").write_text(text)
    (folder / name / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.partition('-')[0]}\n")
    return folder


def test_what_is_installed_here_is_found() -> None:
    assert sorted(entries(sys.path)) == sorted((one.name, one.value) for one in entry_points(group=GROUP))


def test_an_entry_is_of_its_section_and_no_comment(tmp_path: Path) -> None:
    assert entries([str(installed(tmp_path))]) == FOUND


def test_the_first_of_two_installations_counts(tmp_path: Path) -> None:
    first = installed(tmp_path / "first", text="[mesh.commands]\nshop = new:commands\n")
    second = installed(tmp_path / "second", "Shop-0.9.egg-info")
    assert entries([str(first), str(second)]) == [("shop", "new:commands")]


def test_an_archive_on_the_path_is_read_by_the_library(tmp_path: Path) -> None:
    installed(tmp_path)
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for file in sorted((tmp_path / "shop-1.0.dist-info").iterdir()):
            opened.write(file, f"shop-1.0.dist-info/{file.name}")
    assert entries([str(archive)]) == FOUND


@pytest.mark.parametrize("folder", ["nothing-here", ""])
def test_a_folder_without_packages_adds_nothing(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert entries([folder]) == []
