"""The one command, `mesh`. Its own verbs are here; the platform's join by entry points (`mesh.commands`).

Streams: stdout is data, everything else goes to stderr. Exit codes: 0 ok · 1 a check failed or a change was
refused · 2 usage or an unforeseen error · 3 a plan has changes (only with --detailed-exitcode) · 4 the
platform or broker does not answer · 130 Ctrl-C.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from typing import Annotated

import typer
from typer.main import get_command

from mesh.cli import (
    cat,
    checks,
    ci,
    declarations,
    diffs,
    dlq,
    drifts,
    events,
    exports,
    fake,
    imports,
    new,
    outbox,
    plans,
    policies,
    registry,
    reviews,
    rules,
    runs,
    sql,
    tail,
)
from mesh.cli.joining import joined
from mesh.cli.output import tell_error
from mesh.errors import MeshError, UsageError

#: As a product comes to be: the order of `mesh --help`.
IN_STORY_ORDER = (
    new,
    imports,
    checks,
    rules,
    fake,
    exports,
    diffs,
    policies,
    ci,
    plans,
    drifts,
    reviews,
    declarations,
    runs,
    events,
    dlq,
    outbox,
    cat,
    tail,
    sql,
    registry,
)

app = typer.Typer(
    name="mesh",
    help="Declare, publish, find, subscribe to and review data products.\n\nFirst steps: mesh demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"mesh {version('mesh')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Declare, publish, find, subscribe to and review data products."""


def build() -> typer.Typer:
    """The whole command: the framework's verbs, then those of every installed platform."""
    if not app.registered_commands:
        for module in IN_STORY_ORDER:
            module.register(app)
        for join in joined():
            join(app)
    return app


def run() -> None:
    """Run the command line; every failure ends in one message and a non-zero exit, never a traceback."""
    try:
        command = get_command(build())
        gc.enable()  # entry.py switches it off: it finds nothing among what is only just imported
        code = command(standalone_mode=False)
        sys.stdout.flush()
    except MeshError as error:
        code = tell_error(error)
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:  # the last resort: whatever it is, people get one message
        code = tell_error(_foreseen(error))
    sys.exit(code if isinstance(code, int) else 0)


def _foreseen(error: Exception) -> MeshError:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return MeshError(
            "there is no space left on the disk",
            code="MESH-M028",
            where=error.filename,
            why=error.strerror or str(error),
            fix="free space and run the command again; nothing acknowledged is lost",
        )
    shown = getattr(error, "format_message", None)
    if shown is not None:
        return UsageError(shown(), fix="mesh --help")
    if os.environ.get("MESH_DEBUG"):
        raise error
    unforeseen = MeshError(
        f"something unforeseen happened: {type(error).__name__}: {error}",
        code="MESH-M999",
        why="this is a fault of mesh, not of yours",
        fix="run it again with MESH_DEBUG=1 and report what it prints",
    )
    unforeseen.exit_code = 2  # type: ignore[misc]
    return unforeseen
