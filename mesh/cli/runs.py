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
        typer.Option("--port", min=0, max=65535, help="Where health and metrics are told; 0: any."),
    ] = 0,
    reports: Annotated[bool, typer.Option("--reports", help="Tell figures on stdout.", hidden=True)] = False,
    exit_with_parent: Annotated[
        bool, typer.Option("--exit-with-parent", help="Stop when standard input ends.", hidden=True)
    ] = False,
) -> None:
    """Run the code behind a product: a source until it is done, a derived product until stopped.

    A derived product tells its health at http://127.0.0.1:PORT/health and figures for Prometheus at /metrics.

    Example: mesh run punctuality.delay-causes --workers 2 --port 9100
    """
    from mesh.pipelines import Pipeline, Source

    made = implementation(product)
    if isinstance(made, Source):
        from mesh.connection import connect

        if workers:
            _refuse_workers(product)
        with connect() as mesh:
            _source(mesh, made)
    elif isinstance(made, Pipeline) and not workers:
        from mesh.cli.run_pipeline import run_here

        run_here(made, port, reports, exit_with_parent)
    elif reports:
        _become_stream(product, exit_with_parent)
    else:
        from mesh.cli.run_workers import run_workers

        # A stream lives or dies as a whole, so even one is looked after and started again.
        run_workers(product, workers or 1, port, exit_with_parent)


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


def _become_stream(product: str, exit_with_parent: bool) -> None:
    """Faust wants a process of its own, event loop and all: this one becomes it."""
    import os

    argv = [sys.executable, "-m", "mesh.streams", implementation_name(product), "--reports"]
    os.execv(sys.executable, [*argv, "--exit-with-parent"] if exit_with_parent else argv)  # noqa: S606


def _refuse_workers(product: str) -> None:
    from mesh.errors import UsageError

    raise UsageError(
        f"{product} is a source",
        code="MESH-U175",
        where=product,
        why="a source runs once; pipelines and streams have workers",
        fix=f"mesh run {product}",
    )
