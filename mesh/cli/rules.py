"""`mesh rules`: a contract's rules, and what each engine makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh.cli.declarations import AsJson, declared
from mesh.cli.output import data, table

if TYPE_CHECKING:
    from mesh.contract.model import Contract
    from mesh.rules.inexpressible import Inexpressible

#: Engines for windows of events, joined by whoever runs one: of a contract, what each check becomes there.
WindowEngine = Callable[["Contract"], Mapping[tuple[str, str | None], "str | Inexpressible"]]
WINDOW_ENGINES: dict[str, WindowEngine] = {}
_NEEDS_WINDOW = "it is judged over a window of events"


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(rules)


def rules(
    contract: Annotated[str, typer.Argument(help="A contract's file, or its id in this mesh.")],
    as_json: AsJson = False,
    as_rule_set: Annotated[
        bool, typer.Option("--rule-set", help="The ruleSet for the registry's clients, as one JSON document.")
    ] = False,
) -> None:
    """Show every rule of a contract and which engine checks it: guard, CEL, SQL, Great Expectations.

    Example: mesh rules operations.departures.v1
    """
    from mesh.contract.avro import avro_schema
    from mesh.contract.rule_targets import rule_set

    found = _contract(contract)
    if as_rule_set:
        data(rule_set(found, avro_schema(found)))
        return
    rows = _rows(found)
    if as_json:
        data({"format_version": "1.0", "contract": found.id, "rules": rows})
        return
    engines = list(rows[0]["engines"]) if rows else []
    table(
        [[row["rule"], *("no" if "why" in row["engines"][e] else "yes" for e in engines)] for row in rows],
        ["rule", *engines],
    )
    reasons = dict.fromkeys(
        f"{e}: {cell['why']}" for r in rows for e, cell in r["engines"].items() if "why" in cell
    )
    for reason in reasons:
        print(f"no with {reason}")


def _contract(wanted: str) -> Contract:
    from difflib import get_close_matches

    from mesh.errors import UsageError

    path = Path(wanted)
    found = declared([path] if path.is_file() else None).require().contracts
    if path.is_file() and len(found) == 1:
        return next(iter(found.values()))
    if wanted in found:
        return found[wanted]
    near = get_close_matches(wanted, list(found), n=1)
    raise UsageError(
        f"no contract is called {wanted!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
        code="MESH-C132",
        why="it is neither a contract's file nor the id of a contract of this mesh",
        fix="mesh check, which reads them all" if not near else f"mesh rules {near[0]}",
    )


def _rows(contract: Contract) -> list[dict[str, Any]]:
    from mesh.contract.avro import avro_schema
    from mesh.contract.rule_targets import rule_targets, window_rules

    engines = {name: engine(contract) for name, engine in WINDOW_ENGINES.items()}
    rows = []
    for target in rule_targets(contract, avro_schema(contract)):
        rule = target.rule
        texts = {"guard": rule.sentence, "CEL": target.cel, "SQL": target.sql}
        texts |= {name: found[rule.name, rule.path] for name, found in engines.items()}
        rows.append(_row(rule.sentence, rule.name, rule.path, rule.severity, "event", texts))
    for written in window_rules(contract):
        texts = dict.fromkeys(("guard", "CEL", "SQL"), _because(_NEEDS_WINDOW))
        if written.kind == "sql":
            texts["SQL"] = " ".join(written.query.split())
        texts |= {name: found[written.name, written.property] for name, found in engines.items()}
        rows.append(_row(written.name, written.name, written.property, written.severity, "window", texts))
    return rows


def _because(why: str) -> Inexpressible:
    from mesh.rules.inexpressible import Inexpressible

    return Inexpressible("CEL", why)


def _row(
    rule: str,
    name: str,
    prop: str | None,
    severity: str,
    judged: str,
    texts: Mapping[str, str | Inexpressible],
) -> dict[str, Any]:
    cells = {
        engine: {"text": text} if isinstance(text, str) else {"why": text.why}
        for engine, text in texts.items()
    }
    return {
        "rule": rule,
        "name": name,
        "property": prop,
        "severity": severity,
        "judged": judged,
        "engines": cells,
    }
