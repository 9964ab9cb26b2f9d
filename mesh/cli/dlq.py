"""`mesh dlq`: dead letters, listed, shown, and sent back where they failed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh.cli.output import data, note, table

if TYPE_CHECKING:
    from mesh.letters import Choice, Letter, LetterBox, Replayed
    from mesh.letters.target import Target

Product = Annotated[str, typer.Argument(help="<domain>.<product>")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Group = Annotated[str, typer.Option("--group", metavar="NAME", help="Only what this group set aside.")]
Code = Annotated[str, typer.Option("--code", metavar="CODE", help="Only those with this code.")]
Since = Annotated[
    str, typer.Option("--since", metavar="TIME", help="Only those set aside since: PT2H, or a time.")
]
_FORMAT = "1.0"

dlq = typer.Typer(
    name="dlq",
    help="Dead letters: list, show, replay.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.add_typer(dlq)


@dlq.command(name="list")
def list_letters(
    product: Annotated[str, typer.Argument(help="<domain>.<product>; without it, every product.")] = "",
    each: Annotated[bool, typer.Option("--each", help="Every letter by itself, with its number.")] = False,
    code: Code = "",
    group: Group = "",
    since: Since = "",
    as_json: AsJson = False,
) -> None:
    """Count the dead letters by product, group and reason; say how many went back.

    Example: mesh dlq list operations.departures --since P1D
    """
    from mesh.cli.letters import Heap, heaps, row_of
    from mesh.connection import connect

    choice = _choice((), code, group, since)
    with connect() as mesh:
        names = [product] if product else sorted(mesh.platform.products())
        found = [(name, *_read(mesh.letters(name), choice)) for name in names]
    if each:
        rows = [
            row_of(name, letter, letter.number in gone) for name, letters, gone in found for letter in letters
        ]
        _told(as_json, "letters", rows, ("product", "number", "at", "state", "group", "code", "reason"))
    else:
        piles: list[Heap] = [heap for name, letters, gone in found for heap in heaps(name, letters, gone)]
        columns = ("product", "group", "code", "count", "open", "first", "last", "reason")
        _told(as_json, "reasons", [pile.as_data() for pile in piles], columns)


@dlq.command()
def show(
    product: Product,
    number: Annotated[
        int, typer.Argument(min=0, help="The letter's number, as mesh dlq list --each shows it.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show one dead letter: why, from where, its headers, and the event, decoded where that is possible.

    Example: mesh dlq show operations.departures 0
    """
    from mesh.cli.letters import shown, shown_for_people
    from mesh.connection import connect
    from mesh.errors import UsageError

    with connect() as mesh:
        box = mesh.letters(product)
        letters, gone = _read(box, _choice((number,), "", "", ""))
        if not letters:
            raise UsageError(
                f"{product} has no dead letter {number}",
                code="MESH-U174",
                why="letters are numbered from 0, in the order they were set aside",
                fix=f"mesh dlq list {product} --each",
            )
        batch, error = box.decoded(letters[0])
        facts = shown(product, letters[0], letters[0].number in gone, batch.rows(), error)
    if as_json:
        data({"format_version": _FORMAT, "letter": facts})
    else:
        for line in shown_for_people(facts):
            print(line)


@dlq.command()
def replay(
    product: Product,
    numbers: Annotated[list[int] | None, typer.Argument(help="Which letters; or choose by options.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are left of them.")] = False,
    code: Code = "",
    group: Group = "",
    since: Since = "",
    to_topic: Annotated[
        bool, typer.Option("--to-topic", help="Onto the product's topic, for every group, in any case.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters back where they failed, through the contract again; each goes once.

    Example: mesh dlq replay operations.departures --code MESH-E090 --dry-run
    """
    from mesh.cli.letters import told
    from mesh.connection import connect
    from mesh.errors import UsageError

    chosen = _choice(numbers or (), code, group, since)
    if not (numbers or every or code or group or since):
        raise UsageError(
            "no letters are chosen",
            code="MESH-U174",
            why="a replay sends events to those who read them: say which",
            fix=f"mesh dlq replay {product} --all --dry-run",
        )
    with connect() as mesh:
        box = mesh.letters(product)
        done = (box.rehearse if dry_run else box.replay)(chosen, onto_product=to_topic)
    if as_json:
        data(
            {"format_version": _FORMAT, "done": not dry_run, "targets": [told(*one) for one in done.items()]}
        )
    else:
        _tell(done, dry_run)
    raise typer.Exit(1 if any(one.refused for one in done.values()) else 0)


def _choice(numbers: Iterable[int], code: str, group: str, since: str) -> Choice:
    from datetime import UTC, datetime

    from mesh.letters import Choice
    from mesh.letters.choice import since as since_ms

    return Choice(frozenset(numbers), code, group, since_ms(since, datetime.now(UTC)) if since else 0)


def _read(box: LetterBox, choice: Choice) -> tuple[list[Letter], frozenset[int]]:
    letters = list(box.letters(choice))
    return letters, box.gone_back(letters)


def _told(as_json: bool, name: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    from mesh.cli.letters import clean

    if as_json:
        data({"format_version": _FORMAT, name: rows})
    elif rows:
        table([[clean(row[column]) for column in columns] for row in rows], columns)
    else:
        note("no dead letters")


def _tell(done: dict[Target, Replayed], dry_run: bool) -> None:
    from mesh.cli.letters import clean

    sent = "would go" if dry_run else "went"
    for target, one in done.items():
        whom = (
            f"the group {target.group}" if target.group else f"{target.topic}, for every group that reads it"
        )
        note(
            f"{len(one.sent)} {sent} to {whom}; {len(one.before)} had gone before; {len(one.refused)} refused"
        )
        for letter, error in one.refused:
            note(clean(f"  letter {letter.number}: {error.error_code} {error.what}: {error.why}"))
    if not done:
        note("no dead letters")
