"""`mesh sql`: a question about products, answered as a table, as JSON or as CSV."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh import limits
from mesh.cli.output import note

if TYPE_CHECKING:
    from mesh.query.answer import Answer

_SHOWN = 1_000


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(sql)


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT; - reads it from standard input.")],
    since: Annotated[
        str | None,
        typer.Option("--since", help="Published then or later: a time, or how long ago (90m, 2d)."),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Published before then.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a head line.")] = False,
    rows: Annotated[
        int, typer.Option("--rows", min=1, help="An answer with more rows is refused.")
    ] = limits.QUERY_ROWS,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.1, help="A query that takes longer is ended.")
    ] = limits.QUERY_SECONDS,
) -> None:
    """Ask products as tables, over the events that are retained.

    A name with a hyphen is written with an underscore. A compacted product is the latest event of each key.

    Example: mesh sql "select carrier, avg(dep_delay_minutes) from operations.departures group by 1"
    """
    from mesh.connection import connect
    from mesh.errors import UsageError

    if as_json and as_csv:
        raise UsageError(
            "--json and --csv exclude each other",
            code="MESH-U182",
            why="an answer has one form",
            fix="leave one of them out",
        )
    with connect() as mesh:
        text = sys.stdin.read() if query == "-" else query
        answer = mesh.sql(text, since=since, until=until, rows=rows, seconds=seconds)
    if as_json:
        _json(answer)
    elif as_csv:
        _csv(answer)
    else:
        _table(answer)
    for line in answer.notes:
        note(line)


def _table(answer: Answer) -> None:
    from mesh.display import text_table

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    sys.stdout.write(
        text_table(answer.table, rows=_SHOWN if sys.stdout.isatty() else None, width=width) + "\n"
    )


def _json(answer: Answer) -> None:
    from mesh.display import json_line

    columns = [{"name": field.name, "type": str(field.type)} for field in answer.table.schema]
    head = {"format_version": 1, "columns": columns, "unreadable": answer.unreadable}
    sys.stdout.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "rows": [')
    for number, row in enumerate(answer.rows()):
        sys.stdout.write((",\n" if number else "\n") + json_line(row))
    sys.stdout.write("]}\n")


def _csv(answer: Answer) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([_spelled(value) for value in row.values()] for row in answer.rows())


def _spelled(value: Any) -> Any:
    from mesh.display import json_value

    if value is None or isinstance(value, str | int | float):
        return value
    written = json_value(value)
    return written if isinstance(written, str) else json.dumps(written, ensure_ascii=False)
