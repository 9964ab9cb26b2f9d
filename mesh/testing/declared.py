"""Contracts as they are declared around a test, and as they were in each commit."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from mesh.adapters.workspace import FOLDERS, find_root, read_sources
from mesh.contract.model import Contract
from mesh.contract.refinement import AVRO_SUFFIX
from mesh.declaration import CONTRACT_SUFFIX, Declaration, declare
from mesh.errors import UsageError


def declaration_around(folder: Path | None = None) -> Declaration:
    """What is declared in the mesh around `folder`, by default the working folder; raises as `require`."""
    root = find_root(folder or Path.cwd())
    return declare(read_sources([root / n for n in FOLDERS if (root / n).is_dir()], root)).require()


def contract_around(named: str | Contract, folder: Path | None = None) -> Contract:
    """A contract by `<domain>.<product>` or its id; raises UsageError for what is not declared there."""
    from mesh.fake import contract_named

    return named if isinstance(named, Contract) else contract_named(named, declaration_around(folder))


def versions_committed(contract: Contract, folder: Path | None = None) -> Iterator[Contract]:
    """The versions of a contract that commits hold, oldest first; none without git, or without commits of it.

    A version that does not hold by today's checks is left out.
    """
    from mesh.adapters.git import sources_at

    root = find_root(folder or Path.cwd())
    file = contract.document.file
    files = (file, file.removesuffix(CONTRACT_SUFFIX) + AVRO_SUFFIX)
    seen: set[str] = set()
    for commit in _commits(root, files):
        try:
            held = declare(sources_at(commit, root, files)).contracts.get(contract.id)
        except (UsageError, subprocess.CalledProcessError):
            continue
        if held is not None and held.sha256 not in seen:
            seen.add(held.sha256)
            yield held


def _commits(root: Path, files: tuple[str, ...]) -> list[str]:
    command = ["git", "-C", str(root), "log", "--format=%H", "--reverse", "--", *files]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return []
    return done.stdout.split()
