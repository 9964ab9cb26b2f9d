"""`mesh cat`: all that a product retains, as JSON lines for other programs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mesh.cli.output import note

Product = Annotated[str, typer.Argument(help="<domain>.<product>, or a contract's id")]
Fields = Annotated[str, typer.Option("--fields", help="Only these fields, with commas between.")]
Since = Annotated[
    str, typer.Option("--since", help="Published then or later: a time, or how long ago (90m, 2d).")
]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(cat)


def cat(
    product: Product,
    fields: Fields = "",
    since: Since = "earliest",
    until: Annotated[str | None, typer.Option("--until", help="Published before then.")] = None,
) -> None:
    """Write every retained event of a product as a line of JSON, and end.

    Example: mesh cat operations.departures --since 2d --fields carrier,dep_delay_minutes
    """
    from mesh.connection import connect
    from mesh.display import json_line, rows_of

    with connect() as mesh:
        reading = mesh.read(product, fields=names_in(fields), since=since, until=until)
        for batch in reading.batches():
            sys.stdout.write("".join(json_line(row) + "\n" for row in rows_of(batch.events)))
    if reading.unreadable:
        note(f"{reading.unreadable:,} events could not be read; they are not shown")


def names_in(fields: str) -> list[str]:
    """The names in a list with commas."""
    return [name.strip() for name in fields.split(",") if name.strip()]
