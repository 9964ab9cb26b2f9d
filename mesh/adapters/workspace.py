"""Declarations on disk: which files there are, and their bytes. Nothing here knows what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from mesh import limits
from mesh.contract.refinement import AVRO_SUFFIX
from mesh.declaration import CONTRACT_SUFFIX, PRODUCT_SUFFIX, SourceFile
from mesh.errors import UsageError

FOLDERS = ("contracts", "domains")
_SKIPPED = {".git", ".venv", ".mesh", "node_modules", "__pycache__"}


def find_root(start: Path) -> Path:
    """The nearest folder, upwards, that holds `contracts/`; `start` itself when there is none."""
    for folder in (start, *start.parents):
        if (folder / "contracts").is_dir():
            return folder
    return start


def read_sources(paths: Iterable[Path], root: Path) -> Iterator[SourceFile]:
    """Every declaration under `paths`, each once; raises UsageError for what is not there or not readable."""
    read: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise UsageError(
                f"there is no {path}",
                code="MESH-U020",
                where=str(path),
                why="nothing to read",
                fix="mesh check contracts",
            )
        for file in sorted(_declarations(path)):
            absolute = file.resolve()
            if absolute in read:
                continue
            read.add(absolute)
            shown = absolute.relative_to(root) if absolute.is_relative_to(root) else file
            yield SourceFile(str(shown), read_file(file))


def _declarations(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        schema = path.with_name(path.name.removesuffix(CONTRACT_SUFFIX) + AVRO_SUFFIX)
        if path.name.endswith(CONTRACT_SUFFIX) and schema.is_file():
            yield schema
        return
    with_contracts: set[Path] = set()
    for suffix in (CONTRACT_SUFFIX, PRODUCT_SUFFIX):
        for file in path.rglob(f"*{suffix}"):
            if file.is_file() and not _SKIPPED.intersection(file.relative_to(path).parts):
                yield file
                if suffix == CONTRACT_SUFFIX:
                    with_contracts.add(file.parent)
    # Elsewhere, Avro schemas are files like any other.
    for folder in with_contracts:
        yield from folder.glob(f"*{AVRO_SUFFIX}")


def read_file(file: Path) -> bytes:
    """The bytes of a file, at most one more than is allowed; raises UsageError (MESH-U021)."""
    try:
        with file.open("rb") as handle:
            return handle.read(limits.CONTRACT_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read",
            code="MESH-U021",
            where=str(file),
            why=error.strerror or str(error),
            fix="make it readable, or leave it out",
        ) from error
