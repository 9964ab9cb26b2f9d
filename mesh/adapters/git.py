"""Declarations as a git revision holds them, and what changed since. Asks the command `git`; never writes."""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from mesh import limits
from mesh.adapters.workspace import FOLDERS
from mesh.contract.refinement import AVRO_SUFFIX
from mesh.declaration import CONTRACT_SUFFIX, PRODUCT_SUFFIX, SourceFile
from mesh.errors import UsageError

_SUFFIXES = (CONTRACT_SUFFIX, PRODUCT_SUFFIX, AVRO_SUFFIX)


def sources_at(revision: str, root: Path, folders: Sequence[str] = FOLDERS) -> Iterator[SourceFile]:
    """Every declaration under the mesh's folders as `revision` holds it; names are relative to `root`.

    A file may be named like a folder. Raises UsageError (MESH-U024) without git or a repository, (MESH-U025)
    for a revision that is none.
    """
    commit = commit_of(revision, root)
    listed = _git(root, "ls-tree", "-r", "-l", "-z", commit, "--", *folders)
    found = [entry for entry in map(_declaration, filter(None, listed.split(b"\0"))) if entry]
    with closing(_blobs(root, [blob for _, blob, size in found if size <= limits.CONTRACT_BYTES])) as blobs:
        for name, _, size in found:
            # One byte more than allowed is enough for the reader to refuse it.
            large = size > limits.CONTRACT_BYTES
            yield SourceFile(name, b" " * (limits.CONTRACT_BYTES + 1) if large else next(blobs))


def _declaration(entry: bytes) -> tuple[str, str, int] | None:
    """Name, blob and size of one line of `git ls-tree -l`; None when it is no declaration."""
    facts, _, raw_name = entry.partition(b"\t")
    name, (_, kind, blob, size) = raw_name.decode(errors="surrogateescape"), facts.decode().split()
    return (name, blob, int(size)) if kind == "blob" and name.endswith(_SUFFIXES) else None


def _blobs(root: Path, names: Sequence[str]) -> Generator[bytes]:
    """The content of each blob, by one process for all: starting one per file takes most of the time."""
    if not names:
        return
    command = ["git", "-C", str(root), "cat-file", "--batch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for name in names:
            process.stdin.write(f"{name}\n".encode())
            process.stdin.flush()
            size = int(process.stdout.readline().split()[2])
            yield process.stdout.read(size + 1)[:size]  # a line feed ends every answer


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
