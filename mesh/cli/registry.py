"""`mesh registry`: what the schema registry holds, for people; and whole registries, moved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh.cli.output import data, note, table

if TYPE_CHECKING:
    from mesh.adapters.registry_copies import RegistryReader
    from mesh.migration import RegistryCopy, SchemaVersion, Step

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="URL", help="A registry elsewhere; https://user:password@host is fine."),
]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="A file with the bearer token of the registry elsewhere.")
]
_FORMAT = "1.0"
_TOLD_EVERY = 500

registry = typer.Typer(
    name="registry",
    help="The schema registry: subjects and versions, shown, exported and imported.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.add_typer(registry)


@registry.command()
def subjects(
    prefix: Annotated[str, typer.Argument(help="Only those that begin so.")] = "",
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that were deleted, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the subjects of the registry.

    Example: mesh registry subjects operations.
    """
    from mesh.connection import connect

    with connect() as mesh:
        names = mesh.registry_reader().subjects(deleted=deleted)
    found = [name for name in names if name.startswith(prefix)]
    if as_json:
        data({"format_version": _FORMAT, "subjects": found})
    else:
        for name in found:
            print(name)


@registry.command()
def show(
    subject: Annotated[str, typer.Argument(help="The subject, such as operations.departures.v1-value.")],
    version: Annotated[int | None, typer.Option("--version", help="Its schema, as it is registered.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a subject: its versions, level and mode; with --version a schema.

    Example: mesh registry show operations.departures.v1-value --version 1
    """
    from mesh.connection import connect
    from mesh.errors import RegistryError

    with connect() as mesh:
        reader = mesh.registry_reader()
        versions = reader.versions(subject)
        settings = reader.settings(subject)
    if version is not None:
        chosen = [one for one in versions if one.version == version]
        if not chosen:
            raise RegistryError(
                f"{subject} has no version {version}",
                code="MESH-R007",
                where=subject,
                why="it has " + ", ".join(str(one.version) for one in versions),
                fix=f"mesh registry show {subject}",
            )
        _show_schema(chosen[0], as_json)
        return
    config, rows = dict(settings.config or {}), [_facts(one) for one in versions]
    if as_json:
        told = {"subject": subject, "config": config, "mode": settings.mode, "versions": rows}
        data({"format_version": _FORMAT, **told})
        return
    table([[str(value) for value in row.values()] for row in rows], list(rows[0]))
    note(f"level: {config.get('compatibility', 'that of the registry')}, mode: {settings.mode or 'the same'}")


@registry.command(name="export")
def export_copy(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    url: From = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Write everything that a registry holds into files: one for each subject.

    Example: mesh registry export registry-copy
    """
    from mesh.adapters.registry_files import write_copy

    copy = _copied(url, token_file)
    write_copy(copy, folder)
    if as_json:
        counts = {"subjects": len(copy.subjects), "versions": len(copy.versions)}
        data({"format_version": _FORMAT, "folder": str(folder), **counts})
    else:
        note(f"written: {folder}: {len(copy.subjects)} subjects, {len(copy.versions)} versions")


@registry.command(name="import")
def import_copy(
    folder: Annotated[Path | None, typer.Argument(help="What mesh registry export wrote.")] = None,
    url: From = None,
    token_file: TokenFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the steps, and take none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a registry's schemas and settings here with their ids; begun again, it goes on where it ended.

    Example: mesh registry import --from https://registry.example.org
    """
    from mesh.adapters.registry_files import read_copy
    from mesh.connection import connect
    from mesh.errors import UsageError
    from mesh.migration import migration

    if (folder is None) == (url is None):
        raise UsageError(
            "one source is needed",
            code="MESH-U163",
            why="schemas come from a folder or from a registry",
            fix="mesh registry import FOLDER, or mesh registry import --from URL",
        )
    wanted = _copied(url, token_file) if folder is None else read_copy(folder)
    with connect() as mesh:
        planned = migration(wanted, mesh.registry_reader().copy())
        if not dry_run:
            mesh.registry_writer().carry_out(planned, _progress(len(planned.steps)))
    if as_json:
        steps = [{"kind": step.kind, "scope": step.scope, **_numbers(step)} for step in planned.steps]
        against = [{"where": one.where, "why": one.why} for one in planned.conflicts]
        data({"format_version": _FORMAT, "done": not dry_run, "steps": steps, "conflicts": against})
    elif dry_run:
        for step in planned.steps:
            print(step)
        for one in planned.conflicts:
            note(f"{one.where}: {one.why}")
    else:
        note(_summary(wanted, planned.steps))
    raise typer.Exit(1 if planned.conflicts else 0)


def _copied(url: str | None, token_file: Path | None) -> RegistryCopy:
    """Everything of a registry; what it keeps to itself is told."""
    with _source(url, token_file) as reader:
        copy = reader.copy()
    for one in sorted(reader.unread):
        note(f"left out: {one} is deleted, and the registry does not show it")
    return copy


@contextmanager
def _source(url: str | None, token_file: Path | None) -> Iterator[RegistryReader]:
    """The registry at an address, or that of the mesh."""
    from mesh.connection import connect, registry_at

    if url is None:
        with connect() as mesh:
            yield mesh.registry_reader()
        return
    with registry_at(url, _token(token_file)) as reader:
        yield reader


def _token(file: Path | None) -> str:
    from mesh.errors import UsageError

    try:
        return "" if file is None else file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise UsageError(
            "the token file cannot be read",
            code="MESH-U164",
            where=str(file),
            why=str(error),
            fix="correct --token-file, or leave it out",
        ) from error


def _show_schema(version: SchemaVersion, as_json: bool) -> None:
    if as_json:
        data(
            {
                "format_version": _FORMAT,
                "subject": version.subject,
                **version.body(),
                "deleted": version.deleted,
            }
        )
        return
    try:
        print(json.dumps(json.loads(version.text), indent=2, ensure_ascii=False))
    except ValueError:
        print(version.text)


def _facts(version: SchemaVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "id": version.id,
        "type": version.kind,
        "references": len(version.references),
        "rules": "yes" if version.rule_set else "no",
        "state": "deleted" if version.deleted else "live",
    }


def _numbers(step: Step) -> dict[str, int]:
    return {} if step.version is None else {"version": step.version.version, "id": step.version.id}


def _progress(whole: int) -> Any:
    done = 0

    def tell(step: Step) -> None:
        nonlocal done
        done += 1
        if done % _TOLD_EVERY == 0:
            note(f"{done} of {whole}: {step}")

    return tell


def _summary(wanted: RegistryCopy, steps: tuple[Step, ...]) -> str:
    if not steps:
        return f"nothing to do: all {len(wanted.versions)} versions are there"
    registered = sum(step.kind == "register" for step in steps)
    return f"imported: {registered} of {len(wanted.versions)} versions; {len(steps) - registered} other steps"
