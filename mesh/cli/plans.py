"""`mesh plan`, `mesh apply`: what it takes to make the mesh as declared, and doing it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mesh.cli.declarations import AsJson, Paths, declared
from mesh.cli.output import data, note, paint
from mesh.cli.plan_policies import foretold
from mesh.cli.policies import shelf, today

if TYPE_CHECKING:
    from mesh.plan import Consent, Plan
    from mesh.plan.text import Line
    from mesh.world import World

_COLOURS = {"+": "green", "~": "yellow", "!": "red", "-": "red", "✗": "red"}
_QUESTIONS = {
    "lossy": "to lose these events",
    "adopt": "to take it over",
    "destroy": "to delete it with its events",
}

Destroy = Annotated[bool, typer.Option("--destroy", help="Also remove what is not declared any more.")]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(plan)
    app.command()(apply)


def plan(
    paths: Paths = None,
    as_json: AsJson = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Save the plan for: mesh apply FILE.")
    ] = None,
    destroy: Destroy = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 3 when the plan has changes.")
    ] = False,
) -> None:
    """Show what `mesh apply` would change: topics, schemas, grants, contracts, products.

    Example: mesh plan -o plan.json
    """
    from mesh.plan.saved import document_of

    made, _ = planned(paths, destroy)
    if as_json:
        data(document_of(made))
    else:
        show(made)
    if output is not None:
        from mesh.adapters.plan_files import save

        save(output, made)
        note(f"saved; next: mesh apply {output}")
    if made.blocked:
        raise typer.Exit(1)
    raise typer.Exit(3 if detailed_exitcode and made.changes else 0)


def apply(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="A saved plan (.json), or files or folders; default: contracts and domains."),
    ] = None,
    as_json: AsJson = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; loses nothing.")] = False,
    destroy: Destroy = False,
    allow_lossy: Annotated[
        bool, typer.Option("--allow-lossy", help="Consent to settings that delete events.")
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Consent to taking over topics that no contract has owned.")
    ] = False,
    confirm: Annotated[
        list[str] | None,
        typer.Option("--confirm", metavar="TOPIC", help="Consent for one topic; repeatable."),
    ] = None,
) -> None:
    """Make the mesh as declared, or as a saved plan says; asks first on a terminal.

    Example: mesh apply plan.json
    """
    from mesh.apply import apply as carry_out
    from mesh.apply import require_unblocked
    from mesh.plan import Consent

    made, world = _saved(paths, destroy) or planned(paths, destroy)
    if not as_json:
        show(made)
    require_unblocked(made)
    kinds: list[Literal["lossy", "adopt"]] = ["lossy"] if allow_lossy else []
    consent = Consent([*kinds, "adopt"] if adopt else kinds, confirm or [])
    if sys.stdin.isatty():
        consent = _asked(made, consent)
        if made.changes and not yes:
            typer.confirm("Apply these changes?", abort=True, err=True)
    outcomes = []
    for outcome in carry_out(made, world, consent):
        outcomes.append(
            {"verb": outcome.change.verb, "subject": outcome.change.subject, "answer": outcome.answer}
        )
        mark, change = paint("✓", "green", sys.stderr), outcome.change
        note(f"{mark} {change.verb} {change.subject}: {outcome.answer}")
    if as_json:
        data({"format_version": "1.0", "applied": outcomes})
    else:
        print(f"applied {len(outcomes)} changes")


def planned(paths: list[Path] | None, destroy: bool) -> tuple[Plan, World]:
    """The plan of what is declared in `paths`, and the world it was made from."""
    from mesh.connection import connect
    from mesh.plan import make_plan
    from mesh.plan.destroy import destroying
    from mesh.plan.scope import domains_of

    desired = declared(paths).require()
    # A part of the mesh says nothing about what else there should be.
    domains = frozenset[str]() if paths else domains_of(desired)
    world = connect().world()
    made = make_plan(desired, world.actual(desired, domains), domains)
    made = foretold(made, desired, shelf(), today())
    return (destroying(made, world.holders(made)) if destroy else made), world


def show(made: Plan) -> None:
    """A plan for people, on stdout."""
    from mesh.plan.text import lines

    for line in lines(made):
        print(_painted(line))


def _painted(line: Line) -> str:
    match line.kind:
        case "heading":
            return paint(line.text, "bold")
        case "step":
            head = f"  {paint(line.mark, _COLOURS[line.mark])} {line.text} {paint(line.subject, 'bold')}"
            return f"{head}  {paint(line.detail, 'dim')}" if line.detail else head
        case "note" | "kept":
            return paint(str(line), "yellow")
    return str(line)


def _saved(paths: list[Path] | None, destroy: bool) -> tuple[Plan, World] | None:
    """The saved plan, where one is named."""
    if not any(path.suffix == ".json" for path in paths or ()):
        return None
    from mesh.adapters.plan_files import load
    from mesh.connection import connect
    from mesh.errors import UsageError

    if len(paths or ()) != 1 or destroy:
        raise UsageError(
            "a saved plan is applied alone, and as it is",
            code="MESH-U125",
            why="it holds everything that will be done",
            fix="mesh apply plan.json, or: mesh plan --destroy -o plan.json",
        )
    return load((paths or [])[0]), connect().world()


def _asked(made: Plan, consent: Consent) -> Consent:
    """The consent with what somebody types for every risk that is not covered yet."""
    from mesh.errors import PlanError
    from mesh.plan import Consent

    for risk in made.risks:
        if consent.covers(risk):
            continue
        typed = typer.prompt(f"Type {risk.name} {_QUESTIONS[risk.kind]}", default="", err=True)
        if typed != risk.name:
            raise PlanError(
                "not confirmed: nothing was changed",
                code="MESH-P025",
                where=risk.name,
                why="the name that was typed is another one",
                fix="mesh plan",
            )
        consent = Consent(consent.kinds, [*consent.names, typed])
    return consent
