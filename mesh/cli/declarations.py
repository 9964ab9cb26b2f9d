"""What is declared, read for every command; and `mesh products`, which lists what the catalog knows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.output import data, table

if TYPE_CHECKING:
    from mesh.declaration import Declaration, SourceFile

Paths = Annotated[list[Path] | None, typer.Argument(help="Files or folders; default: contracts and domains.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(products)


def declared(paths: list[Path] | None) -> Declaration:
    """Everything that stands in `paths`, or in the mesh around the working folder."""
    return declared_in(sources_in(paths), paths)


def sources_in(paths: list[Path] | None) -> list[SourceFile]:
    """The files that stand in `paths`, or in the mesh around the working folder."""
    from mesh.adapters.workspace import FOLDERS, find_root, read_sources

    root = find_root(Path.cwd())
    return list(read_sources(paths or [root / name for name in FOLDERS if (root / name).is_dir()], root))


def declared_in(sources: list[SourceFile], paths: list[Path] | None) -> Declaration:
    """What the sources declare; raises UsageError when that is nothing at all."""
    from mesh.adapters.workspace import find_root
    from mesh.declaration import Declaration, declare
    from mesh.errors import UsageError

    found = declare(sources, os.environ)
    if not found.contracts and not found.products and not found.findings:
        raise UsageError(
            "nothing is declared here",
            code="MESH-U022",
            where=str(find_root(Path.cwd())),
            why="no *.odcs.yaml or *.odps.yaml was found",
            fix="see docs/quickstart.md, or run: mesh demo",
        )
    if paths:
        # A part of the mesh cannot be expected to hold what its ports refer to.
        kept = tuple(f for f in found.findings if f.code not in ("MESH-C061", "MESH-C064", "MESH-C081"))
        return Declaration(found.contracts, found.products, kept)
    return found


def products(as_json: AsJson = False) -> None:
    """List the products in the catalog.

    Example: mesh products --json
    """
    from mesh.connection import connect
    from mesh.product import read_product

    with connect() as mesh:
        facts = list(mesh.platform.products().values())
    read = [read_product(fact.text.encode(), fact.full_name) for fact in facts]
    if as_json:
        rows = [
            {
                "name": p.full_name,
                "version": p.version,
                "status": p.status,
                "owner": p.team_name,
                "purpose": p.purpose,
            }
            for p in read
        ]
        data({"format_version": "1.0", "products": rows})
        return
    table(
        [[p.full_name, p.version, p.status, p.team_name] for p in read],
        ["product", "version", "status", "owner"],
    )
