"""`mesh read`: a look at a product's events."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from mesh.cli.output import note

Product = Annotated[str, typer.Argument(help="<domain>.<product>")]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(read)


def read(
    product: Product,
    last: Annotated[
        int | None, typer.Option("--last", "-n", min=1, help="Only the last N of each partition.")
    ] = None,
) -> None:
    """Print a product's events as JSON lines.

    Example: mesh read weather.observations --last 3
    """
    from mesh.connection import connect

    with connect() as mesh:
        reading = mesh.read(product, last=last)
        for row in reading.rows():
            sys.stdout.write(json.dumps(row, default=_text, ensure_ascii=False) + "\n")
    if reading.unreadable:
        note(f"{reading.unreadable} events could not be read; they are not shown")


def _text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
