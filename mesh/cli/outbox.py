"""`mesh outbox`: publishes what waits in a database's outbox, and says how much it is."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from mesh.cli.output import data, note

Database = Annotated[
    str,
    typer.Argument(
        envvar="MESH_OUTBOX", help="An SQLite file or postgresql://…; a password is better in PGPASSWORD."
    ),
]
outbox = typer.Typer(
    name="outbox",
    help="Events that wait in a database to be published.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.add_typer(outbox)


@outbox.command()
def run(
    database: Database,
    once: Annotated[bool, typer.Option("--once", help="End when nothing waits any more.")] = False,
    exit_with_parent: Annotated[
        bool, typer.Option("--exit-with-parent", help="Stop when standard input ends.", hidden=True)
    ] = False,
) -> None:
    """Publish what waits, until stopped: at least once, in order. A second relay stands by.

    Example: mesh outbox run shop.db
    """
    from mesh.cli.output import tell_error
    from mesh.cli.stopping import until_stopped
    from mesh.connection import connect

    total = 0
    with connect() as mesh, mesh.relay(database) as relay, until_stopped(exit_with_parent) as going_on:
        note(f"publishing what waits in the outbox of {_shown(database)}")
        if once:
            while going_on() and (count := relay.step()):
                total += count
        else:
            for count in relay.run(going_on, lambda error: (tell_error(error), None)[1]):
                total += count
    note(f"{total:,} events published")


@outbox.command()
def status(
    database: Database,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Say how many events wait, and for how long the first of them has.

    Example: mesh outbox status shop.db
    """
    from mesh.outbox import store_of

    store = store_of(database)
    try:
        found = store.backlog()
    finally:
        store.close()
    age = None if found.oldest_ms is None else max(time.time() - found.oldest_ms / 1000, 0.0)
    if as_json:
        data({"format_version": "1.0", "events": found.events, "oldest_seconds": age})
    else:
        print(f"{found.events:,} events wait" + ("" if age is None else f", the first for {age:,.0f} s"))


@outbox.command()
def table(
    dialect: Annotated[str, typer.Argument(help="sqlite or postgres")] = "sqlite",
) -> None:
    """Print the SQL that makes the outbox's table.

    Example: mesh outbox table postgres
    """
    from mesh.outbox import table_of

    print(table_of(dialect), end="")


def _shown(database: str) -> str:
    """Without a password."""
    before, at, after = database.rpartition("@")
    return f"…@{after}" if at and "://" in before else database
