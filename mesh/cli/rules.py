"""`mesh rules`: a contract's rules, and what each engine makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh.cli.declarations import AsJson
from mesh.cli.exports import contracts_named
from mesh.cli.output import data, note, table

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
    contract: Annotated[str, typer.Argument(help="Contract id, product or file.")],
    as_json: AsJson = False,
    as_rule_set: Annotated[
        bool, typer.Option("--rule-set", help="The ruleSet for the registry's clients, as one JSON document.")
    ] = False,
) -> None:
    """Show every rule of a contract and which engine checks it: guard, CEL, SQL, Great Expectations.

    Example: mesh rules operations.departures.v1
    """
    found = contracts_named(contract)
    if as_rule_set:
        _tell_rule_set(contract, found)
    elif as_json:
        entries = [{"id": one.id, "rules": _rows(one)} for one in found]
        data({"format_version": "1.0", "contracts": entries})
    else:
        for one in found:
            _tell(_rows(one))


def _tell_rule_set(name: str, found: Sequence[Contract]) -> None:
    from mesh.contract.avro import avro_schema
    from mesh.contract.rule_targets import rule_set
    from mesh.errors import UsageError

    if len(found) != 1:
        raise UsageError(
            f"{name} has {len(found)} contracts",
            code="MESH-U119",
            why="a rule set belongs to the schema of one: " + ", ".join(one.id for one in found),
            fix=f"mesh rules {found[-1].id} --rule-set",
        )
    data(rule_set(found[0], avro_schema(found[0])))


def _tell(rows: Sequence[Mapping[str, Any]]) -> None:
    engines = list(rows[0]["engines"]) if rows else []
    cells = [["no" if "why" in row["engines"][engine] else "yes" for engine in engines] for row in rows]
    table([[row["rule"], *said] for row, said in zip(rows, cells, strict=True)], ["rule", *engines])
    reasons: dict[str, list[str]] = {}
    for row in rows:
        for engine, cell in row["engines"].items():
            if "why" in cell and engine not in reasons.setdefault(cell["why"], []):
                reasons[cell["why"]].append(engine)
    for why, named in reasons.items():
        note(f"no for {', '.join(named)}: {why}")


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
