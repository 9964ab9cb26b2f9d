"""`mesh run`, `mesh read`: the code behind products, and a look at their events."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh.cli.output import note

if TYPE_CHECKING:
    from mesh.connection import Mesh
    from mesh.pipelines import Pipeline, Source

Product = Annotated[str, typer.Argument(help="<domain>.<product>")]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(run)
    app.command()(read)


def run(
    product: Product,
    exit_with_parent: Annotated[
        bool, typer.Option("--exit-with-parent", help="Stop when standard input ends.", hidden=True)
    ] = False,
) -> None:
    """Run the code behind a product: a source until it is done, a derived product until stopped.

    Example: mesh run punctuality.delay-causes
    """
    from mesh.connection import connect
    from mesh.pipelines import Pipeline, Source

    made = implementation(product)
    with connect() as mesh:
        if isinstance(made, Source):
            _source(mesh, made)
        elif isinstance(made, Pipeline):
            _pipeline(mesh, made, exit_with_parent)
        else:
            _stream(product, exit_with_parent)


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


def implementation_name(product: str) -> str:
    """`package.module:object` behind a product, from its file; raises UsageError."""
    from mesh.cli.declarations import declared
    from mesh.errors import UsageError

    found = declared(None).products.get(product)
    if found is None or not found.implementation:
        raise UsageError(
            f"{product} names no implementation here",
            code="MESH-U040",
            why="no product file under domains/ of this name has the custom property `implementation`",
            fix="mesh check",
        )
    return found.implementation


def implementation(product: str) -> Any:
    """The value that a product's file names as its implementation; raises UsageError."""
    import importlib
    import os

    from mesh.errors import UsageError

    named = implementation_name(product)
    module, _, name = named.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"{named} cannot be loaded",
            code="MESH-U041",
            where=product,
            why=str(error),
            fix="correct the custom property `implementation`, or run from the folder that holds domains/",
        ) from error


def _source(mesh: Mesh, made: Source) -> None:
    from mesh.pipelines import run_source

    with mesh.publisher(made.product) as publish:
        total = sum(run_source(made, publish))
    note(f"{made.product}: {total:,} events published")


def _pipeline(mesh: Mesh, made: Pipeline, exit_with_parent: bool) -> None:
    from mesh.cli.stopping import until_stopped
    from mesh.pipelines import run_pipeline

    tables = {name: mesh.lookup(name) for name in made.tables}
    looks = {name: table.current for name, table in tables.items()}
    total = 0
    try:
        with (
            until_stopped(exit_with_parent) as going_on,
            mesh.publisher(made.product) as publish,
            # A product's own pipeline is known from its input ports: no subscription is registered for it.
            mesh.receive(made.reads, group=made.product) as subscription,
        ):
            for count in run_pipeline(made, subscription, looks, publish, going_on):
                total += count
    finally:
        for table in tables.values():
            table.close()
    note(f"{made.product}: {total:,} events published")


def _stream(product: str, exit_with_parent: bool) -> None:
    """Faust wants a process of its own, event loop and all: this one becomes it."""
    import os

    argv = [sys.executable, "-m", "mesh.streams", implementation_name(product)]
    os.execv(sys.executable, [*argv, "--exit-with-parent"] if exit_with_parent else argv)  # noqa: S606


def _text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
