"""`mesh drift`: whether what is live is what is declared."""

from __future__ import annotations

import sys
from dataclasses import asdict

import typer

from mesh.cli.declarations import AsJson, Paths, declared
from mesh.cli.output import data, note, paint, table

FORMAT_VERSION = "1.0"


def register(app: typer.Typer) -> None:
    """Join the verb of this module."""
    app.command()(drift)


def drift(paths: Paths = None, as_json: AsJson = False) -> None:
    """Compare what is declared with what is live; exit 1 when they differ, 4 when that is unknown.

    Example: mesh drift --json
    """
    from mesh.connection import connect
    from mesh.plan.drift import drift as compare
    from mesh.plan.scope import domains_of

    desired = declared(paths).require()
    domains = frozenset[str]() if paths else domains_of(desired)
    actual = connect().world().survey(desired, domains)
    found = compare(desired, actual)
    certain = [row for row in found if row.state != "unknown"]
    unknown = len(found) - len(certain)
    if as_json:
        data(
            {
                "format_version": FORMAT_VERSION,
                "drift": len(certain),
                "unknown": unknown,
                "unasked": dict(actual.unasked),
                "rows": [asdict(row) for row in found],
            }
        )
    elif found:
        rows = [[r.state, r.subject, r.property, r.declared or "—", r.live or "—"] for r in found]
        table(rows, ["state", "subject", "property", "declared", "live"])
    for part, why in actual.unasked.items():
        note(f"{paint('unknown', 'yellow', sys.stderr)} the {part} was not asked: {why}")
    if certain:
        note(f"{len(certain)} drifted, {unknown} unknown; next: mesh plan")
        raise typer.Exit(1)
    if unknown:
        note(f"no drift is known, {unknown} unknown: that is not the same as none")
        raise typer.Exit(4)
    if not as_json:
        print("no drift")
