"""Policies on disk and in installed packages: which there are, and what their rules in other languages do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from mesh import limits
from mesh.adapters.python_policies import PythonRule, declared, installed
from mesh.adapters.rego import RegoRule, require_rego
from mesh.contract.yaml import Document
from mesh.declaration import SourceFile
from mesh.errors import DeclarationError, UsageError
from mesh.policy import Shelf, shelve
from mesh.policy.model import Rule
from mesh.policy.reading import API_VERSION, SUFFIX

REGO = ".rego"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.rego\Z")


def shelf_of(root: Path, folder: Path, files: tuple[Path, ...] = ()) -> Shelf:
    """The policies in force in the mesh at `root`, and `files`, which are not in its folder of policies yet.

    Raises UsageError for a file that cannot be read, and (MESH-U140) when Rego is used and not installed.
    """
    own = [file for file in sorted(folder.glob(f"*{SUFFIX}")) if file.is_file()]
    modules = [file for file in sorted(folder.glob(f"*{REGO}")) if file.is_file()]
    known = {file.resolve() for file in (*own, *modules)}
    more = [file for file in files if file.resolve() not in known]
    drafts = [file for file in more if file.suffix != REGO]
    modules += [file for file in more if file.suffix == REGO]
    entries = installed()

    def foreign(key: str, name: str) -> Rule:
        if key == "rego":
            return _rego(name, (folder, *(file.parent for file in more)))
        if name not in entries:
            raise DeclarationError(
                f"no installed package brings the Python policy {name!r}",
                code="MESH-C170",
                why="it is found by its entry point mesh.policies; known: " + (", ".join(entries) or "none"),
                fix="install the package, or correct the name",
            )
        return PythonRule(entries[name])

    sources, drafted = (
        [SourceFile(_display(file, root), _read(file)) for file in chosen] for chosen in (own, drafts)
    )
    return shelve(sources, foreign, (*declared(entries.values()), *_documents(modules, root)), drafted)


def _documents(modules: Iterable[Path], root: Path) -> Iterator[Document]:
    """Each Rego module as the policy file that it stands for; a file of the same name changes it."""
    for file in modules:
        source = _read(file).decode(errors="replace")
        words = " ".join(line.strip("# \t") for line in source.splitlines() if line.startswith("#"))
        name = file.name.removesuffix(REGO)
        yield Document(
            file=_display(file, root),
            text="",
            data={
                "apiVersion": API_VERSION,
                "kind": "Policy",
                "name": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"),
                "title": f"what {file.name} denies",
                "description": words or f"The module {file.name} decides.",
                "severity": "error",
                "appliesTo": ["contract", "product"],
                "rego": file.name,
            },
            positions={},
        )


def _rego(name: str, folders: tuple[Path, ...]) -> Rule:
    require_rego()
    found = [folder / name for folder in folders if _NAME.match(name) and (folder / name).is_file()]
    if not found:
        raise DeclarationError(
            f"there is no Rego module {name[:80]!r}",
            code="MESH-C171",
            why="a policy names a file that lies beside it, such as pii.rego",
            fix="write the module, or correct the name",
        )
    return RegoRule(name, _read(found[0]).decode(errors="replace"))


def _display(file: Path, root: Path) -> str:
    absolute = file.resolve()
    return str(absolute.relative_to(root)) if absolute.is_relative_to(root) else str(file)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as handle:
            return handle.read(limits.CONTRACT_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read",
            code="MESH-U142",
            where=str(file),
            why=error.strerror or str(error),
            fix="mesh policy list",
        ) from error
