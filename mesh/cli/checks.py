"""`mesh check`: whether what is declared holds."""

from __future__ import annotations

import sys

import typer

from mesh.cli.declarations import AsJson, Paths, declared
from mesh.cli.output import data, finding_rows, paint, tell_findings, timed


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(check)


def check(paths: Paths = None, as_json: AsJson = False) -> None:
    """Check contracts and products: standards, references, Avro types, rules.

    Example: mesh check contracts/operations
    """
    with timed("checked"):
        found = declared(paths)
    errors = sum(1 for f in found.findings if f.severity == "error")
    warnings = len(found.findings) - errors
    if as_json:
        facts = {"contracts": len(found.contracts), "products": len(found.products)}
        data({"format_version": "1.0", **facts, "findings": finding_rows(found.findings)})
    else:
        tell_findings(found.findings, sys.stdout)
        word = paint("failed", "red") if errors else paint("ok", "green")
        print(
            f"{word}: {len(found.contracts)} contracts, {len(found.products)} products,"
            f" {errors} errors, {warnings} warnings"
        )
    raise typer.Exit(1 if errors else 0)
