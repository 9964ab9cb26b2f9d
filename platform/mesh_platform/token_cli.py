"""`mesh token`: the platform's own token, and those of other principals: add, list, revoke."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.output import data as print_data
from mesh.cli.output import note
from mesh_platform.rights import Right

if TYPE_CHECKING:
    from mesh_platform.tokens import TokenFile

token = typer.Typer(name="token", invoke_without_command=True, rich_markup_mode=None)
State = Annotated[
    Path | None, typer.Option("--state", help="State folder of the platform; default: the nearest .mesh.")
]


def _folder(state: Path | None) -> Path:
    from mesh.config import find_state

    return state or find_state(Path.cwd(), os.environ)


def _file(context: typer.Context, state: Path | None) -> TokenFile:
    from mesh_platform.serving import tokens_file
    from mesh_platform.tokens import TokenFile

    # --state may stand before the verb or behind it.
    return TokenFile(tokens_file(_folder(state or context.obj), os.environ))


@token.callback()
def own(context: typer.Context, state: State = None) -> None:
    """Print the token that the platform of this folder asks for; add, list and revoke those of others.

    Example: mesh token
    """
    from mesh.config import TOKEN_FILE
    from mesh.errors import UsageError

    context.obj = state
    if context.invoked_subcommand is not None:
        return
    file = _folder(state) / TOKEN_FILE
    if not file.exists():
        raise UsageError("there is no token here", code="MESH-U063", where=str(file), fix="mesh up")
    print(file.read_text().strip())


@token.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose token it is; the control log keeps this name.")],
    right: Annotated[
        list[Right], typer.Option("--right", help="What it may do; may be repeated. Each includes read.")
    ],
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Make a token for a principal and print it, this once; a running platform takes it at once.

    Example: mesh token add orders-team --right register
    """
    from mesh_platform.control import utc_now

    made = _file(context, state).add(name, right, utc_now())
    if as_json:
        print_data({"format_version": "1.0", "name": name, "rights": sorted(set(right)), "token": made})
        return
    note(f"{name} may {', '.join(sorted(set(right)))}; this token is not shown again")
    print(made)


@token.command(name="list")
def listed(
    context: typer.Context,
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """List the principals that have a token, with their rights.

    Example: mesh token list
    """
    issued = _file(context, state).issued()
    if as_json:
        rows = [{"name": one.name, "rights": list(one.rights), "created": one.created} for one in issued]
        print_data({"format_version": "1.0", "tokens": rows})
        return
    for one in issued:
        print(f"{one.name:24}{', '.join(one.rights):40}{one.created}")
    if not issued:
        note("nobody has a token but the platform itself: mesh token")


@token.command()
def revoke(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose token is to open nothing any more.")],
    state: State = None,
) -> None:
    """Take a principal's token back; open sessions of it end with their next request.

    Example: mesh token revoke orders-team
    """
    _file(context, state).revoke(name)
    note(f"{name} has no token any more")
