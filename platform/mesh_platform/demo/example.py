"""The example mesh: its declarations and code, from the folder around us or as they came with the package."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from mesh.adapters.workspace import FOLDERS, find_root, read_sources
from mesh.contract.model import Contract
from mesh.declaration import SourceFile
from mesh.errors import UsageError

MARK = "contracts/operations/departures.v1.odcs.yaml"
CHANGED_CONTRACT = "operations.departures.v1"
CHANGED_PRODUCT = "departures.odps.yaml"
NEW_VERSION = "1.1.0"

_GATE = """\
      - id: gate
        name: gate
        logicalType: string
        required: {required}
        description: The gate that the flight left from, such as C12.
        classification: public
"""


def example_root() -> Path:
    """The folder that holds the example's contracts and domains."""
    here = Path(str(files("mesh_platform.demo")))
    # Around us · in the wheel · beside the sources of an editable install.
    places = (find_root(Path.cwd()), here / "example", here.parents[2])
    for place in places:
        if (place / MARK).is_file():
            return place
    raise UsageError(
        "the example mesh is not here",
        code="MESH-U064",
        where=str(places[1]),
        why="neither this folder nor the installed package holds it",
        fix="run mesh demo in a clone of the project",
    )


def sources(root: Path) -> list[SourceFile]:
    """The example's declarations."""
    return list(read_sources([root / name for name in FOLDERS], root))


def with_gate(contract: Contract, *, required: bool) -> str:
    """The contract's text with one more property, in version 1.1.0: the change that the review is about."""
    lines = contract.document.text.splitlines(keepends=True)
    last = len(contract.properties) - 1
    before, _ = contract.document.positions["schema", 0, "properties", last]
    version, _ = contract.document.positions["version",]
    lines[version - 1] = f"version: {NEW_VERSION}\n"
    lines.insert(before - 1, _GATE.format(required=str(required).lower()))
    return "".join(lines)


def changed(declared: list[SourceFile], contract: Contract, text: str) -> Iterator[SourceFile]:
    """The example's declarations with the changed contract, and its product's port moved along."""
    for source in declared:
        if source.name == contract.document.file:
            yield replace(source, raw=text.encode())
        elif source.name.endswith(CHANGED_PRODUCT):
            old = source.raw.decode()
            port = old.index("outputPorts:")
            moved = old[port:].replace(f"version: {contract.version}", f"version: {NEW_VERSION}", 1)
            yield replace(source, raw=(old[:port] + moved).encode())
        else:
            yield source
