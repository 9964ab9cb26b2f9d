"""`mesh export`, `mesh model`: a contract in the forms of others."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mesh.cli.declarations import declared
from mesh.cli.output import deliver, note, tell_findings_briefly

if TYPE_CHECKING:
    from mesh.contract.model import Contract
    from mesh.declaration import Declaration

_SELECTOR = re.compile(r"[:+*?]")
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="A new file, or a folder for several; default: stdout.")
]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(export)
    app.command()(model)


def export(
    form: Annotated[
        Literal["asyncapi", "avro", "html", "json-schema", "markdown"],
        typer.Argument(metavar="FORMAT", help="asyncapi, avro, html, json-schema or markdown."),
    ],
    contract: Annotated[
        str, typer.Argument(help="Contract id, product, file or selector; default: all.")
    ] = "",
    output: Output = None,
) -> None:
    """Write contracts in another format; what it has no word for is said.

    Example: mesh export asyncapi operations.departures.v1 -o departures.asyncapi.json
    """
    from mesh.export.formats import FORMATS

    chosen = FORMATS[form]
    found = contracts_named(contract)
    if len(found) == 1 and (contract or output is None) and not (output and output.is_dir()):
        tell_findings_briefly(chosen.findings(found[0]))
        deliver(chosen.text(found[0]), output)
        return
    folder = _folder(output, len(found))
    for one in found:
        deliver(chosen.text(one), folder / f"{one.id}{chosen.suffix}")
    note(f"{len(found)} files in {folder}")


def model(
    contract: Annotated[str, typer.Argument(help="Contract id, product or file.")],
    output: Output = None,
) -> None:
    """Write the Pydantic model of a contract's events, strict and typed.

    Example: mesh model operations.departures.v1 -o departures.py
    """
    from mesh.errors import UsageError
    from mesh.export.pydantic_model import model_source

    found = contracts_named(contract)
    if len(found) > 1:
        raise UsageError(
            f"{contract} has {len(found)} contracts",
            code="MESH-U119",
            why="a model is made of one: " + ", ".join(one.id for one in found),
            fix=f"mesh model {found[-1].id}",
        )
    deliver(model_source(found[0]), output)


def contracts_named(name: str) -> list[Contract]:
    """The contracts that an id, product, file or selector means; all without one. Raises UsageError."""
    import difflib

    from mesh import naming
    from mesh.errors import UsageError

    path = Path(name)
    if name and path.exists():
        return list(declared([path]).require().contracts.values())
    everything = declared(None).require()
    known = everything.contracts
    if not name:
        return list(known.values())
    if _SELECTOR.search(name):
        chosen = _selected(name, everything)
    else:
        chosen = {i for i, c in known.items() if name in (i, naming.parse_topic(c.topic).product_name)}
    found = [contract for contract_id, contract in known.items() if contract_id in chosen]
    if not found:
        near = difflib.get_close_matches(name, known, n=1)
        raise UsageError(
            f"there is no contract {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            code="MESH-U119",
            why="no contract id, product, file or selector means one",
            fix="mesh check",
        )
    return found


def _selected(selector: str, everything: Declaration) -> Collection[str]:
    from mesh.adapters.git import changed_since
    from mesh.adapters.workspace import find_root
    from mesh.selection import select

    root = find_root(Path.cwd())
    return select([selector], everything, changed=lambda: changed_since("HEAD", root)).contracts


def _folder(output: Path | None, count: int) -> Path:
    from mesh.errors import UsageError

    if output is not None and output.suffix == "":
        output.mkdir(parents=True, exist_ok=True)
    if output is None or not output.is_dir():
        raise UsageError(
            f"{count} contracts do not go into one file",
            code="MESH-U119",
            why="each becomes a file of its own",
            fix="name one contract, or a folder: mesh export markdown -o pages",
        )
    return output
