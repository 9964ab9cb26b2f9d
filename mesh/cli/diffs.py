"""`mesh diff`: what changed between files, revisions and what is deployed, in fields and sentences."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.output import data, paint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mesh.change import Difference
    from mesh.declaration import Declaration, SourceFile


class Format(StrEnum):
    """How differences are shown."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(diff)


def diff(
    sides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[BEFORE] [AFTER]",
            help="Files, git revisions, or REVISION:FILE. Default: HEAD, and the files here.",
        ),
    ] = None,
    deployed: Annotated[
        bool, typer.Option("--deployed", help="Compare what the platform holds with the files here.")
    ] = False,
    output_format: Annotated[Format, typer.Option(help="How to show it.")] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 1 when anything differs.")] = False,
    fail_on: Annotated[
        str, typer.Option(help="Exit 1 when a change is at least this: patch, minor or major.")
    ] = "",
) -> None:
    """Show what changed in contracts and products, which version it needs, and whom it concerns.

    Example: mesh diff main
    """
    from mesh.change import Bump, differences

    least = Bump.parse(fail_on) if fail_on else None
    before, after = _sides(sides or [], deployed=deployed)
    found = differences(before, after)
    show(found, Format.JSON if as_json else output_format)
    grave = least is not None and any(difference.level >= least for difference in found)
    raise typer.Exit(1 if grave or (exit_code and found) else 0)


def show(found: Iterable[Difference], output_format: Format) -> None:
    """Differences on stdout."""
    from mesh.change.html import differences_html
    from mesh.change.text import as_markdown, as_text

    found = list(found)
    if output_format is Format.JSON:
        data({"format_version": "1.0", "differences": [difference.as_data() for difference in found]})
    elif output_format is Format.HTML:
        print(differences_html(found), end="")
    else:
        lines = list(as_markdown(found) if output_format is Format.MARKDOWN else as_text(found, paint))
        print("\n".join(lines or ["nothing changed"]))


def _sides(sides: list[str], *, deployed: bool) -> tuple[Declaration, Declaration]:
    from mesh.adapters.workspace import find_root
    from mesh.errors import UsageError

    root = find_root(Path.cwd())
    files = [side for side in sides if _is_file(side)]
    if len(sides) > (1 if deployed else 2) or (len(files) == 1 and len(sides) == 2):
        raise UsageError(
            "there is nothing to compare in that way",
            code="MESH-U121",
            where=" ".join(sides),
            why="two files are compared with each other, or one or two revisions, or --deployed with a file",
            fix="mesh diff main, or mesh diff main:FILE FILE, or mesh diff --deployed",
        )
    if deployed:
        return _deployed(sides, root)
    if len(files) == 2:
        return _two_files(files[0], files[1], root)
    if files:
        here = _file(files[0], root)
        return _read(_file(f"HEAD:{here[0].name}", root)), _read(here)
    before = _read(_side(sides[0] if sides else "HEAD", root))
    return before, _read(_side(sides[1], root) if len(sides) == 2 else _here(root))


def _is_file(side: str) -> bool:
    from mesh.declaration import CONTRACT_SUFFIX, PRODUCT_SUFFIX

    return side.endswith((CONTRACT_SUFFIX, PRODUCT_SUFFIX)) or Path(side).is_file()


def _read(sources: Iterable[SourceFile]) -> Declaration:
    """What the sources declare, whether or not it fits together.

    Raises DeclarationError for a file that cannot be read: it may not pass for one that is not there.
    """
    from mesh.declaration import Declaration, declare
    from mesh.errors import Location

    every = list(sources)
    found = declare(every, os.environ)
    read = {contract.document.file for contract in found.contracts.values()}
    read |= {product.document.file for product in found.products.values()}
    unread = {source.name for source in every} - read
    broken = tuple(
        finding
        for finding in found.findings
        if (finding.where.file if isinstance(finding.where, Location) else finding.where) in unread
    )
    Declaration(found.contracts, found.products, broken).require()
    return found


def _here(root: Path) -> Iterable[SourceFile]:
    from mesh.adapters.workspace import FOLDERS, read_sources

    return read_sources([root / name for name in FOLDERS if (root / name).is_dir()], root)


def _side(side: str, root: Path) -> Iterable[SourceFile]:
    """A file, or everything that a revision holds."""
    from mesh.adapters.git import sources_at

    return _file(side, root) if _is_file(side) else sources_at(side, root)


def _file(side: str, root: Path) -> list[SourceFile]:
    """The file that a side names, with the Avro schema beside it; none when a revision does not hold it."""
    from mesh.adapters.git import sources_at
    from mesh.adapters.workspace import read_sources
    from mesh.contract.refinement import AVRO_SUFFIX
    from mesh.declaration import CONTRACT_SUFFIX

    revision, colon, name = side.partition(":")
    if Path(side).is_file() or not colon:
        return list(read_sources([Path(side)], root))
    return list(sources_at(revision, root, [name, name.removesuffix(CONTRACT_SUFFIX) + AVRO_SUFFIX]))


def _two_files(first: str, second: str, root: Path) -> tuple[Declaration, Declaration]:
    from dataclasses import replace

    from mesh.declaration import Declaration

    before, after = _read(_file(first, root)), _read(_file(second, root))
    # Two files that are named are one contract to whoever compares them, whatever each calls itself.
    old, new = list(before.contracts.values()), list(after.contracts.values())
    if len(old) == len(new) == 1 and old[0].id != new[0].id:
        return Declaration({new[0].id: replace(old[0], id=new[0].id)}, {}, ()), after
    return before, after


def _deployed(sides: list[str], root: Path) -> tuple[Declaration, Declaration]:
    from mesh.connection import connect
    from mesh.contract.refinement import AVRO_SUFFIX
    from mesh.declaration import CONTRACT_SUFFIX, PRODUCT_SUFFIX, Declaration, SourceFile

    after = _read(_side(sides[0], root) if sides else _here(root))
    with connect() as mesh:
        contracts, products = mesh.platform.contracts(), mesh.platform.products()
    held = [SourceFile(f"{name}{CONTRACT_SUFFIX}", c.text.encode()) for name, c in contracts.items()]
    held += [SourceFile(f"{name}{AVRO_SUFFIX}", c.avro.encode()) for name, c in contracts.items() if c.avro]
    held += [SourceFile(f"{name}{PRODUCT_SUFFIX}", p.text.encode()) for name, p in products.items()]
    before = _read(held)
    # Others apply to the same platform from folders of their own: what is not declared here is not gone.
    kept = {name: contract for name, contract in before.contracts.items() if name in after.contracts}
    offered = {name: product for name, product in before.products.items() if name in after.products}
    return Declaration(kept, offered, ()), after
