"""`mesh fake`: test data from a contract."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mesh.cli.declarations import declared
from mesh.cli.output import note

if TYPE_CHECKING:
    from mesh.contract.model import Contract
    from mesh.fake import Faults

Format = Literal["json", "avro", "arrow"]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(fake)


def fake(
    name: Annotated[str, typer.Argument(metavar="PRODUCT|CONTRACT", help="<domain>.<product>[.v<major>]")],
    count: Annotated[int, typer.Option("--count", "-n", min=0, max=10_000_000, help="How many events.")] = 10,
    seed: Annotated[int, typer.Option("--seed", "-s", help="The same seed makes the same events.")] = 0,
    broken: Annotated[
        str, typer.Option("--break", metavar="RULE", help="Break this rule, and no other; or: list, all.")
    ] = "",
    form: Annotated[
        Format, typer.Option("--format", "-f", help="JSON lines, an Avro file or an Arrow stream.")
    ] = "json",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; default: stdout.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Publish them to the product.")] = False,
) -> None:
    """Make events that keep a contract, or that break exactly one of its rules.

    Example: mesh fake operations.departures -n 100 --seed 7
    """
    from mesh.fake import Fake, Faults, contract_named

    found = declared(None).require()
    contract = contract_named(name, found)
    among = tuple(found.contracts.values())
    if broken == "list":
        print("\n".join(Faults(contract).names))
    elif broken and publish:
        raise _not_published(name)
    elif broken:
        events = _faulty(Faults(contract, seed, among), broken, count, form)
        _write(events, contract, form, output, faulty=True)
    elif publish:
        _publish(contract, count, seed, among)
    else:
        _write(Fake(contract, seed, among).events(count), contract, form, output, faulty=False)


def _faulty(faults: Faults, broken: str, count: int, form: Format) -> list[dict[str, Any]]:
    if broken != "all":
        events = faults.broken(broken, count)
    else:
        events = []
        for rule, event in faults.each():
            if event is None:
                note(f"left out: {rule!r} cannot be broken alone")
            else:
                events.append(event)
    kept = [event for event in events if form != "avro" or faults.carried(event)]
    if len(kept) < len(events):
        note(f"left out: {len(events) - len(kept)} events without a required value; Avro cannot carry them")
    return kept


def _write(
    events: Sequence[dict[str, Any]], contract: Contract, form: Format, output: Path | None, *, faulty: bool
) -> None:
    from mesh.adapters import event_files

    write = {"json": event_files.as_json, "avro": event_files.as_avro, "arrow": event_files.as_arrow}[form]
    if output is None:
        write(events, contract, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    with event_files.created(output) as file:
        write(events, contract, file)
    note(f"{len(events):,} {'broken ' if faulty else ''}events of {contract.id} in {output}")


def _publish(contract: Contract, count: int, seed: int, among: Sequence[Contract]) -> None:
    from dataclasses import replace

    from mesh.connection import connect
    from mesh.fake import Fake

    with connect() as mesh:
        # What is published keeps the contract in force, which the one in the folder may be a change of.
        in_force = mesh.port(contract.id).contract
        placed = replace(in_force, document=replace(in_force.document, file=contract.document.file))
        with mesh.publisher(contract.id) as publisher:
            published = publisher.many(Fake(placed, seed, among).batch(count))
    note(f"{contract.id}: {published.events:,} events published")


def _not_published(name: str) -> Exception:
    from mesh.errors import UsageError

    return UsageError(
        "broken events are not published",
        code="MESH-U133",
        where=name,
        why="the publisher would refuse them: an event on a topic keeps its contract",
        fix=f"mesh fake {name} --break all, and give them to the code under test",
    )
