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
    from mesh_platform.audit.backup import Kept
    from mesh_platform.audit.verification import Anchor
    from mesh_platform.log.entry import EntrySource

State = Annotated[Path | None, typer.Option("--state", help="State folder; default: the nearest .mesh.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Log = Annotated[
    str, typer.Option("--control-log", help="Where it is kept: sqlite or kafka.", envvar="MESH_CONTROL_LOG")
]
Bootstrap = Annotated[
    str,
    typer.Option(
        "--bootstrap",
        help="Kafka bootstrap servers of --control-log kafka; default: of the mesh that runs here.",
        envvar="MESH_KAFKA_BOOTSTRAP",
    ),
]

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
    control_log: Log = "sqlite",
    bootstrap: Bootstrap = "",
    as_json: AsJson = False,
) -> None:
    """Write the control log to one file, also while the platform runs.

    It holds schemas with their ids, contracts, proposals, decisions and subscriptions, up to one moment;
    no tokens and no events.

    Example: mesh backup control.backup
    """
    from mesh_platform.audit.backup import write_backup

    with _source(state, control_log, bootstrap) as source:
        _tell(write_backup(source, file), f"in {file}", as_json)


def restore(
    file: Annotated[Path, typer.Argument(help="What mesh backup has written.")],
    state: State = None,
    control_log: Log = "sqlite",
    bootstrap: Bootstrap = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="In the place of a log that is there, which is kept aside.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the control log what a backup holds; no platform must run. Nothing is replaced in silence.

    A topic must be new or empty: there is no --replace for it.

    Example: mesh restore control.backup --state /var/lib/mesh
    """
    from mesh_platform.audit.restoring import restore_file, restore_into
    from mesh_platform.log.choice import FILE, control_topic, log_kind, open_log
    from mesh_platform.snapshots import FILE as SNAPSHOT

    folder = _folder(state)
    if log_kind(control_log) == "sqlite":
        where = str(folder / FILE)
        kept = restore_file(file, folder / FILE, folder / SNAPSHOT, replace=replace)
    else:
        where = control_topic(os.environ)
        log = open_log("kafka", folder, _bootstrap(folder, bootstrap))
        try:
            kept = restore_into(log, file, where)
        finally:
            log.close()
    _tell(kept, f"in {where}", as_json)


@audit.command()
def verify(
    state: State = None,
    control_log: Log = "sqlite",
    bootstrap: Bootstrap = "",
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
    from mesh_platform.audit.examination import examine
    from mesh_platform.snapshots import FILE

    anchors = [_anchor(text) for text in expect or ()]
    with _source(state, control_log, bootstrap) as source:
        facts = asdict(examine(source, _folder(state) / FILE, anchors))
    if as_json:
        data({"format_version": "1.0", **facts})
        return
    for name, value in facts.items():
        print(f"{name:13}{value}")
    note("every record is what was written; keep the head elsewhere, and give it to --expect next time")


@audit.command(name="log")
def show_log(
    state: State = None,
    control_log: Log = "sqlite",
    bootstrap: Bootstrap = "",
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

    with _source(state, control_log, bootstrap) as source:
        found = listed(source.entries(start), actor=actor, kind=kind, last=last)
        if as_json:
            data({"format_version": "1.0", "records": [asdict(record) for record in found]})
            return
        for record in found:
            print(told(record))


def _folder(state: Path | None) -> Path:
    from mesh.config import find_state

    return state or find_state(Path.cwd(), os.environ)


def _bootstrap(folder: Path, named: str) -> str:
    from mesh_platform.log.refusals import no_log
    from mesh_platform.running import read_running

    running = read_running(folder)
    if named or running:
        return named or (running.bootstrap if running else "")
    why = "nothing runs here, and neither --bootstrap nor MESH_KAFKA_BOOTSTRAP names a Kafka"
    raise no_log(str(folder), why, "add --bootstrap host:port")


@contextmanager
def _source(state: Path | None, control_log: str, bootstrap: str) -> Iterator[EntrySource]:
    from mesh_platform.log.choice import log_kind, open_source

    folder, kind = _folder(state), log_kind(control_log)
    source = open_source(kind, folder, _bootstrap(folder, bootstrap) if kind == "kafka" else "")
    try:
        yield source
    finally:
        source.close()


def _tell(kept: Kept, where: str, as_json: bool) -> None:
    if as_json:
        data({"format_version": "1.0", **asdict(kept)})
    else:
        note(f"{kept.records} records {where}, up to chain hash {kept.chain}")


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
