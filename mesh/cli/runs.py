"""`mesh run`: the code behind products, in this process or in workers that are kept alive."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh.cli.output import note

if TYPE_CHECKING:
    from mesh.connection import Mesh
    from mesh.pipelines import Source

Product = Annotated[str, typer.Argument(help="<domain>.<product>")]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(run)


def run(
    product: Product,
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="So many processes that are started again when they end.")
    ] = 0,
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65535, help="Where a pipeline tells health and metrics; 0: any."),
    ] = 0,
    reports: Annotated[bool, typer.Option("--reports", help="Tell figures on stdout.", hidden=True)] = False,
    exit_with_parent: Annotated[
        bool, typer.Option("--exit-with-parent", help="Stop when standard input ends.", hidden=True)
    ] = False,
) -> None:
    """Run the code behind a product: a source until it is done, a derived product until stopped.

    A pipeline tells its health at http://127.0.0.1:PORT/health and its figures for Prometheus at /metrics.

    Example: mesh run punctuality.delay-causes --workers 2 --port 9100
    """
    from mesh.pipelines import Pipeline, Source

    made = implementation(product)
    if isinstance(made, Pipeline):
        from mesh.cli.run_pipeline import run_here
        from mesh.cli.run_workers import run_workers

        if workers:
            run_workers(product, workers, port, exit_with_parent)
        else:
            run_here(made, port, reports, exit_with_parent)
        return
    if workers:
        _refuse_workers(product)
    if isinstance(made, Source):
        from mesh.connection import connect

        with connect() as mesh:
            _source(mesh, made)
    else:
        _stream(product, exit_with_parent)


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


def _stream(product: str, exit_with_parent: bool) -> None:
    """Faust wants a process of its own, event loop and all: this one becomes it."""
    import os

    argv = [sys.executable, "-m", "mesh.streams", implementation_name(product)]
    os.execv(sys.executable, [*argv, "--exit-with-parent"] if exit_with_parent else argv)  # noqa: S606


def _refuse_workers(product: str) -> None:
    from mesh.errors import UsageError

    raise UsageError(
        f"{product} is no pipeline",
        code="MESH-U175",
        where=product,
        why="only a pipeline has workers: a source runs once, a windowed stream is a process of its own",
        fix=f"mesh run {product}",
    )
