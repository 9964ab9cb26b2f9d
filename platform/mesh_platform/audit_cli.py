"""`mesh backup`, `mesh restore`, `mesh audit`: the control log in the hands of those who run the platform.

They read the log itself, not the platform's word about it; the platform may run, stand still or be gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.output import data, note

if TYPE_CHECKING:
    from mesh_platform.audit.verification import Anchor
    from mesh_platform.log.entry import EntrySource

State = Annotated[Path | None, typer.Option("--state", help="State folder; default: the nearest .mesh.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
LOG_FILE = "control.db"

audit = typer.Typer(
    name="audit",
    help="The control log as evidence: verify, log.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def commands(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(backup)
    app.command()(restore)
    app.add_typer(audit)


def backup(
    file: Annotated[Path, typer.Argument(help="The new file, such as control.backup.")],
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Write the control log to one file, also while the platform runs.

    It holds schemas with their ids, contracts, proposals, decisions and subscriptions, up to one moment;
    no tokens and no events.

    Example: mesh backup control.backup
    """
    from mesh_platform.audit.backup import write_backup

    with _source(state) as source:
        kept = write_backup(source, file)
    if as_json:
        data({"format_version": "1.0", **asdict(kept)})
    else:
        note(f"{kept.records} records in {kept.file}, up to chain hash {kept.chain}")


def restore(
    file: Annotated[Path, typer.Argument(help="What mesh backup has written.")],
    state: State = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="In the place of a log that is there, which is kept aside."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the control log what a backup holds; the platform must not run. Nothing is replaced in silence.

    Example: mesh restore control.backup --state /var/lib/mesh
    """
    from mesh_platform.audit.restoring import restore_file
    from mesh_platform.snapshots import FILE

    folder = _folder(state)
    kept = restore_file(file, folder / LOG_FILE, folder / FILE, replace=replace)
    if as_json:
        data({"format_version": "1.0", **asdict(kept)})
    else:
        note(f"{kept.records} records in {folder / LOG_FILE}, up to chain hash {kept.chain}")


@audit.command()
def verify(
    state: State = None,
    expect: Annotated[
        list[str] | None,
        typer.Option("--expect", metavar="OFFSET:HASH", help="A chain hash noted earlier; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read the whole control log and say whether every record is what was written; exits 1 when one is not.

    It hears the hash beside each record, the checkpoints in the log, the snapshot, and the hashes noted
    elsewhere (--expect). Then it replays the log without the snapshot, and compares what comes out.

    Example: mesh audit verify --expect "$(cat head.txt)"
    """
    from mesh_platform.audit import verification
    from mesh_platform.audit.comparison import anchor_of, compare
    from mesh_platform.audit.report import refuse_tampered
    from mesh_platform.snapshots import FILE

    snapshot = _folder(state) / FILE
    with _source(state) as source:
        anchors = [_anchor(text) for text in expect or ()]
        kept = anchor_of(snapshot)
        verified = verification.verify(source.entries(), [*anchors, *([kept] if kept else [])])
        refuse_tampered(verified, source.where)
        used = kept is not None
        if used:
            compare(source, snapshot, verified.records)
    facts = {
        "log": source.where,
        "records": verified.records,
        "head": f"{verified.records - 1}:{verified.head}",
        "checkpoints": verified.checkpoints,
        "snapshot": "agrees with a whole replay" if used else "none in use",
    }
    if as_json:
        data({"format_version": "1.0", **facts})
        return
    for name, value in facts.items():
        print(f"{name:13}{value}")
    note("every record is what was written; note the head elsewhere, and give it to --expect next time")


@audit.command(name="log")
def show_log(
    state: State = None,
    start: Annotated[int, typer.Option("--from", min=0, help="The first offset.")] = 0,
    last: Annotated[int, typer.Option("--last", min=0, help="Only so many, the latest; 0: all.")] = 0,
    actor: Annotated[str, typer.Option("--actor", help="Only of this actor.")] = "",
    kind: Annotated[
        str, typer.Option("--kind", help="Only of this kind, or of all that begin so: registry.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List the control log: who did what, when; the platform may run meanwhile.

    Example: mesh audit log --kind proposal --last 20
    """
    from mesh_platform.audit.listing import listed, told

    with _source(state) as source:
        found = listed(source.entries(start), actor=actor, kind=kind, last=last)
        if as_json:
            data({"format_version": "1.0", "records": [asdict(record) for record in found]})
            return
        for record in found:
            print(told(record))


def _folder(state: Path | None) -> Path:
    from mesh.config import find_state

    return state or find_state(Path.cwd(), os.environ)


@contextmanager
def _source(state: Path | None) -> Iterator[EntrySource]:
    from mesh_platform.log.sqlite_reader import SqliteReader

    source = SqliteReader(_folder(state) / LOG_FILE)
    try:
        yield source
    finally:
        source.close()


def _anchor(text: str) -> Anchor:
    from mesh.errors import UsageError
    from mesh_platform.audit.verification import Anchor
    from mesh_platform.log.record import GENESIS

    offset, _, chain = text.partition(":")
    if not offset.isdecimal() or len(chain) != len(GENESIS) or not set(chain) <= set("0123456789abcdef"):
        raise UsageError(
            f"--expect cannot be {text!r}",
            code="MESH-U153",
            why="it is an offset, a colon and the chain hash there",
            fix="take the head that mesh audit verify prints",
        )
    return Anchor(int(offset), chain, "--expect")
