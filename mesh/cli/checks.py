"""`mesh check`: whether what is declared holds."""

from __future__ import annotations

import sys

import typer

from mesh.cli.declarations import AsJson, Paths, declared
from mesh.cli.output import data, finding_rows, paint, tell_findings, timed
from mesh.cli.policies import policy_findings


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(check)


def check(paths: Paths = None, as_json: AsJson = False) -> None:
    """Check contracts and products: standards, references, Avro types, rules, policies.

    Example: mesh check contracts/operations
    """
    with timed("checked"):
        found = declared(paths)
        findings = (*found.findings, *policy_findings(found))
    errors = sum(1 for f in findings if f.severity == "error")
    warnings = sum(1 for f in findings if f.severity == "warning")
    if as_json:
        facts = {"contracts": len(found.contracts), "products": len(found.products)}
        data({"format_version": "1.0", **facts, "findings": finding_rows(findings)})
    else:
        tell_findings(findings, sys.stdout)
        word = paint("failed", "red") if errors else paint("ok", "green")
        print(
            f"{word}: {len(found.contracts)} contracts, {len(found.products)} products,"
            f" {errors} errors, {warnings} warnings"
        )
    raise typer.Exit(1 if errors else 0)
