"""`mesh tail`: the last events of a product and those that come; a table for people, JSON lines in pipes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mesh.cli.cat import Fields, Product, names_in
from mesh.cli.output import note, paint

if TYPE_CHECKING:
    from mesh.following import Seen

_NARROW: Final = 6
_WIDE: Final = 32
_TIME: Final = "published"


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(tail)


def tail(
    product: Product,
    last: Annotated[int, typer.Option("-n", "--last", min=0, help="Begin with the last N events.")] = 10,
    since: Annotated[
        str | None, typer.Option("--since", help="Begin then instead: a time, or how long ago (90m, 2d).")
    ] = None,
    fields: Fields = "",
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="End after so many events; default: go on for ever.")
    ] = None,
) -> None:
    """Show the last events of a product, then each that is published, until Ctrl-C.

    Example: mesh tail operations.departures -n 3
    """
    from mesh.connection import connect

    with (
        connect() as mesh,
        mesh.follow(product, fields=names_in(fields), last=last, since=since) as following,
    ):
        write = _Lines(following.names) if sys.stdout.isatty() else _json_lines
        left = count
        for arrived in following.events():
            some = arrived.events if left is None else arrived.events[:left]
            write(some)
            sys.stdout.flush()
            if arrived.unreadable:
                note(f"{arrived.unreadable:,} events could not be read; they are not shown")
            left = None if left is None else left - len(some)
            if left == 0:
                return


def _json_lines(events: Sequence[Seen]) -> None:
    from mesh.display import json_line

    sys.stdout.write("".join(json_line(one.row) + "\n" for one in events))


class _Lines:
    """A table that grows: widths are chosen from the first events, and what is wider is cut."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._widths: list[int] = []

    def __call__(self, events: Sequence[Seen]) -> None:
        lines = [_cells(one) for one in events]
        if lines and not self._widths:
            self._begin(lines)
        for line in lines:
            sys.stdout.write(self._line(line) + "\n")

    def _begin(self, lines: Sequence[Sequence[str]]) -> None:
        head = [_TIME, *self._names]
        self._widths = [
            min(max(_NARROW, *(len(line[at]) for line in [head, *lines])), _WIDE) for at in range(len(head))
        ]
        sys.stdout.write(paint(self._line(head), "dim") + "\n")

    def _line(self, cells: Sequence[str]) -> str:
        spaced = [cell[:width].ljust(width) for cell, width in zip(cells, self._widths, strict=True)]
        return "  ".join(spaced).rstrip()[: shutil.get_terminal_size().columns]


def _cells(one: Seen) -> list[str]:
    from mesh.display import cell

    published = one.published.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
    return [published, *(cell(value, _WIDE) for value in one.row.values())]
