"""Declarations as a git revision holds them, and what changed since. Asks the command `git`; never writes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from mesh import limits
from mesh.adapters.workspace import FOLDERS
from mesh.contract.refinement import AVRO_SUFFIX
from mesh.declaration import CONTRACT_SUFFIX, PRODUCT_SUFFIX, SourceFile
from mesh.errors import UsageError

_SUFFIXES = (CONTRACT_SUFFIX, PRODUCT_SUFFIX, AVRO_SUFFIX)


def sources_at(revision: str, root: Path, folders: Sequence[str] = FOLDERS) -> Iterator[SourceFile]:
    """Every declaration under the mesh's folders as `revision` holds it; names are relative to `root`.

    Raises UsageError (MESH-U024) without git or a repository, (MESH-U025) for a revision that is none.
    """
    commit = commit_of(revision, root)
    listed = _git(root, "ls-tree", "-r", "-l", "-z", commit, "--", *folders)
    for entry in filter(None, listed.split(b"\0")):
        facts, _, raw_name = entry.partition(b"\t")
        name, (_, kind, blob, size) = raw_name.decode(errors="surrogateescape"), facts.decode().split()
        if kind == "blob" and name.endswith(_SUFFIXES):
            # One byte more than allowed is enough for the reader to refuse it.
            small = int(size) <= limits.CONTRACT_BYTES
            raw = _git(root, "cat-file", "blob", blob) if small else b" " * (limits.CONTRACT_BYTES + 1)
            yield SourceFile(name, raw)


def changed_since(revision: str, root: Path) -> frozenset[str]:
    """The names, relative to `root`, of files that differ from `revision`; untracked ones too."""
    commit = commit_of(revision, root)
    differ = _git(root, "diff", "--name-only", "--relative", "--no-renames", "-z", commit)
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    names = filter(None, (differ + new).split(b"\0"))
    return frozenset(name.decode(errors="surrogateescape") for name in names)


def commit_of(revision: str, root: Path) -> str:
    """The full name of the commit that `revision` means."""
    try:
        found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except subprocess.CalledProcessError as error:
        raise UsageError(
            f"there is no revision {revision!r}",
            code="MESH-U025",
            where=str(root),
            why="git knows no commit, branch or tag of that name; a shallow clone holds only the newest",
            fix="git fetch --unshallow, or: git log --oneline",
        ) from error
    return found.decode().strip()


def _git(root: Path, *arguments: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", root, *arguments], check=True, capture_output=True).stdout
    except FileNotFoundError as error:
        raise _no_repository(root, "git is not installed") from error
    except subprocess.CalledProcessError as error:
        if error.returncode == 1 or b"not a git repository" not in error.stderr:
            raise
        raise _no_repository(root, error.stderr.decode(errors="replace").strip()) from error


def _no_repository(root: Path, why: str) -> UsageError:
    return UsageError(
        "revisions need a git repository",
        code="MESH-U024",
        where=str(root),
        why=why,
        fix="git init, or name files instead of a revision",
    )
