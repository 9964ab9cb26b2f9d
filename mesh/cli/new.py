"""`mesh new`: a domain, a product, a contract or a consumer to begin with."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.output import data, note, paint

if TYPE_CHECKING:
    from mesh.contract.model import Contract
    from mesh.templates import NewFile

commands = typer.Typer(
    help="Begin a domain, a product, a contract or a consumer.", no_args_is_help=True, rich_markup_mode=None
)

Owner = Annotated[str, typer.Option("--owner", help="Who answers for it: an e-mail address.")]
Purpose = Annotated[str, typer.Option("--purpose", help="What it is for, in a sentence.")]
Reads = Annotated[str, typer.Option("--reads", metavar="PRODUCT", help="The product that it reads.")]
Force = Annotated[bool, typer.Option("--force", help="Write over files that are there.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; take what is usual.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.add_typer(commands, name="new")


@commands.command()
def domain(
    name: Annotated[str, typer.Argument(help="One word, such as sales.")] = "",
    owner: Owner = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Begin a domain; in an empty folder, a mesh.

    Example: mesh new domain sales --owner ann@example.org
    """
    from mesh import templates

    asked = _Asking(yes)
    name = asked.text(name, "NAME", "Which domain (such as sales)")
    files = templates.domain(name, _owner(asked, owner, name))
    _made(files, f"mesh new product {name}.orders", as_json)


@commands.command()
def product(
    name: Annotated[str, typer.Argument(help="<domain>.<product>")] = "",
    owner: Owner = "",
    kind: Annotated[
        str, typer.Option("--type", help="source, aggregate or consumer; the last two read another one.")
    ] = "",
    reads: Reads = "",
    purpose: Purpose = "",
    force: Force = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Begin a product: its contract, its product file, its code and a test, all of which hold.

    Example: mesh new product sales.orders --owner ann@example.org
    """
    from mesh import templates

    asked = _Asking(yes)
    named = templates.product_name(asked.text(name, "NAME", "Which product (such as sales.orders)"))
    kind = _kind(asked, kind, reads)
    if kind != "source":
        reads = asked.text(reads, "--reads", "Which product does it read")
    files = templates.product(
        named,
        owner=_owner(asked, owner, named.domain),
        kind=kind,
        purpose=asked.maybe(purpose, "What is it for"),
        reads=_read(reads) if reads else None,
    )
    _made(files, "mesh check", as_json, force)


@commands.command()
def contract(
    name: Annotated[str, typer.Argument(help="<domain>.<product>.v<major>, the next one.")],
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Begin the next major version of a contract: a draft that says what the one before says.

    Example: mesh new contract sales.orders.v2
    """
    from mesh import naming, templates
    from mesh.cli.declarations import declared
    from mesh.errors import UsageError

    wanted, found = naming.parse_topic(name), declared(None).require()
    before = [
        other
        for other in map(naming.parse_topic, found.contracts)
        if (other.product_name, other.port) == (wanted.product_name, wanted.port) and str(other) != name
    ]
    offered_by = found.product_of(str(before[0])) if before else None
    if offered_by is None:
        raise UsageError(
            f"there is no contract of {wanted.product_name} before {name}",
            code="MESH-U139",
            why="a first contract comes with its product: consumers find products",
            fix=f"mesh new product {wanted.product_name}",
        )
    last = found.contracts[str(max(before, key=lambda other: other.major))]
    made, offering = templates.contract(name, last, offered_by)
    _made([made, offering], "mesh check", as_json, force, changed=[offering.path])


@commands.command()
def consumer(
    name: Annotated[str, typer.Argument(help="<domain>.<application>: the group it reads with.")] = "",
    reads: Reads = "",
    owner: Owner = "",
    purpose: Purpose = "",
    force: Force = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Begin an application that subscribes to a product: which fields it reads, what for, and a test.

    Example: mesh new consumer reports.board --reads sales.orders --owner ann@example.org
    """
    from mesh import templates

    asked = _Asking(yes)
    named = templates.product_name(asked.text(name, "NAME", "Which application (such as reports.board)"))
    read = _read(asked.text(reads, "--reads", "Which product does it read"))
    files = templates.consumer(
        named,
        owner=_owner(asked, owner, named.domain),
        purpose=asked.maybe(purpose, "What is it for"),
        reads=read,
    )
    _made(files, f"python -m {named.module}", as_json, force)


class _Asking:
    """Asks a person at a terminal for what was not given; elsewhere says what to give."""

    def __init__(self, yes: bool) -> None:
        self._asks = sys.stdin.isatty() and not yes

    def text(self, given: str, flag: str, question: str, usual: str = "") -> str:
        """What was given, or the answer; raises UsageError when there is nobody to ask."""
        from mesh.errors import UsageError

        if given:
            return given
        if self._asks:
            return str(typer.prompt(question, default=usual or None, err=True))
        if usual:
            return usual
        raise UsageError(
            f"{flag} is missing",
            code="MESH-U001",
            why="there is no terminal to ask at, or --yes was given",
            fix=f"add {flag}, as in: mesh new --help",
        )

    def maybe(self, given: str, question: str) -> str:
        """What was given, or the answer, which may be empty."""
        return given or (str(typer.prompt(question, default="", err=True)) if self._asks else "")


def _owner(asked: _Asking, given: str, name: str) -> str:
    from mesh.adapters.workspace import find_root
    from mesh.templates import owner_address
    from mesh.templates.model import identifier

    package = find_root(Path.cwd()) / "domains" / identifier(name) / "__init__.py"
    return owner_address(asked.text(given, "--owner", "Who answers for it (e-mail)", _written(package)))


def _written(package: Path) -> str:
    """The owner that `mesh new domain` has written down."""
    import ast

    try:
        body = ast.parse(package.read_text(encoding="utf-8")).body
    except (OSError, SyntaxError, ValueError):
        return ""
    for line in body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "OWNER":
            return str(line.value.value) if isinstance(line.value, ast.Constant) else ""
    return ""


def _kind(asked: _Asking, given: str, reads: str) -> str:
    import difflib

    from mesh.errors import UsageError
    from mesh.templates import TYPES

    kind = asked.text(
        given, "--type", "Which type: source, aggregate or consumer", "aggregate" if reads else "source"
    )
    if kind in TYPES and not (kind == "source" and reads):
        return kind
    near = difflib.get_close_matches(kind, TYPES, n=1)
    raise UsageError(
        f"{kind!r} reads no other product" if kind in TYPES else f"there is no type {kind!r}",
        code="MESH-U001",
        why="a source brings events in from outside; an aggregate and a consumer read another product",
        fix=f"write --type {near[0] if near and kind not in TYPES else 'aggregate'}",
    )


def _read(name: str) -> Contract:
    from mesh.cli.declarations import declared
    from mesh.fake import contract_named

    return contract_named(name, declared(None).require())


def _made(
    files: Iterable[NewFile], following: str, as_json: bool, force: bool = False, changed: Sequence[str] = ()
) -> None:
    from mesh.adapters import new_files
    from mesh.adapters.workspace import find_root

    wanted = list(files)
    over = [file.path for file in wanted] if force else changed
    made = new_files.make(wanted, find_root(Path.cwd()), over=over)
    if as_json:
        data({"format_version": "1.0", "created": made, "next": following})
        return
    for path in made:
        mark = "~" if path in changed else "+"
        print(f"{paint(mark, 'green')} {path}")
    note(f"next: {following}")
