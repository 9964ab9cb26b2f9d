"""`mesh propose`, `reviews`, `review`, `approve`, `refuse`: contract changes, decided on evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mesh.cli.output import data, paint, table

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Number = Annotated[int, typer.Argument(help="The proposal's number.")]
Reason = Annotated[str, typer.Option("--reason", "-m", help="Why; it is kept with the decision.")]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    for command in (propose, reviews, review, approve, refuse):
        app.command()(command)


def propose(
    file: Annotated[Path, typer.Argument(help="The changed contract.")],
    reason: Annotated[str, typer.Option("--reason", "-m", help="What it is for.")] = "",
    as_json: AsJson = False,
) -> None:
    """Open a review of a changed contract and show the verdict; exits 1 when it cannot be approved.

    Example: mesh propose contracts/operations/departures.v1.odcs.yaml -m "add the gate"
    """
    from mesh.adapters.workspace import find_root, read_sources
    from mesh.connection import connect
    from mesh.contract.reading import read_contract
    from mesh.contract.refinement import refined

    sources = list(read_sources([file], find_root(Path.cwd())))
    source = next(found for found in sources if Path(found.name).name == file.name)
    contract = read_contract(source.raw, source.name)
    for beside in sources:
        if beside is not source:
            contract = refined(contract, beside.raw, beside.name)
    avro = contract.refined.text if contract.refined else ""
    with connect() as mesh:
        proposal = mesh.platform.propose(source.name, contract.document.text, reason, avro)
    _show(proposal, as_json)
    raise typer.Exit(0 if _approvable(proposal["verdict"]) else 1)


def reviews(as_json: AsJson = False) -> None:
    """List proposals, newest first.

    Example: mesh reviews
    """
    from mesh.connection import connect

    with connect() as mesh:
        rows = mesh.platform.proposals()
    if as_json:
        data({"format_version": "1.0", "proposals": rows})
        return
    table(
        [
            [
                str(r["number"]),
                r["contract_id"],
                r["version"],
                r["status"],
                _word(r["verdict"]),
                r["proposed_at"][:19],
            ]
            for r in rows
        ],
        ["no", "contract", "version", "status", "verdict", "proposed"],
    )


def review(number: Number, as_json: AsJson = False) -> None:
    """Show one proposal: what changes for whom.

    Example: mesh review 1
    """
    from mesh.connection import connect

    with connect() as mesh:
        _show(mesh.platform.proposal(number), as_json)


def approve(number: Number, reason: Reason, as_json: AsJson = False) -> None:
    """Approve a proposal: the registry then accepts exactly its schema.

    Example: mesh approve 1 -m "additive, two readers informed"
    """
    _decide(number, "approve", reason, as_json)


def refuse(number: Number, reason: Reason, as_json: AsJson = False) -> None:
    """Refuse a proposal; the contract in force stays.

    Example: mesh refuse 2 -m "breaks the delay board"
    """
    _decide(number, "refuse", reason, as_json)


def _decide(number: int, decision: str, reason: str, as_json: bool) -> None:
    from mesh.connection import connect

    with connect() as mesh:
        proposal = mesh.platform.proposal(number)
        _show(mesh.platform.decide(number, decision, reason, proposal["sha256"]), as_json)


def _word(verdict: Mapping[str, Any]) -> str:
    if verdict["compatible"]:
        return "compatible" if _approvable(verdict) else "refused by policy"
    breaks = verdict.get("version", {"level": "major"})["level"] == "major"
    return "breaks readers" if breaks else "needs another version"


def _approvable(verdict: Mapping[str, Any]) -> bool:
    return bool(verdict["compatible"]) and not any(_refuses(o) for o in _outcomes(verdict))


def _outcomes(verdict: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = verdict.get("policies", {}).get("outcomes", ())
    return found


def _refuses(outcome: Mapping[str, Any]) -> bool:
    return outcome["severity"] == "error" and outcome["verdict"] in ("failed", "unknown")


def _show_policies(verdict: Mapping[str, Any]) -> None:
    if "policies" not in verdict:
        return
    asked = verdict["policies"]
    print(f"policies: {len(asked['passed'])} passed, on {asked['day']} ({asked['sha256'][:12]})")
    for outcome in asked["outcomes"]:
        word = "refuses" if _refuses(outcome) else outcome["severity"]
        word = f"exempt until {outcome['exempt_until']}" if outcome["verdict"] == "exempt" else word
        print(f"  - {outcome['policy']} ({word}): {'; '.join(outcome['messages'])}")
        if outcome["verdict"] != "exempt":
            print(f"    next: {outcome['fix']}")


def _show(proposal: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        shown = {key: value for key, value in proposal.items() if key not in ("text", "schema", "base_text")}
        data({"format_version": "1.0", "proposal": shown})
        return
    from mesh.change import Change
    from mesh.change.text import change_lines

    verdict, number = proposal["verdict"], proposal["number"]
    word = paint(_word(verdict), "green" if _approvable(verdict) else "red")
    name = paint(proposal["contract_id"], "bold")
    print(f"review {number}: {name} {proposal['version']}, {proposal['status']}")
    print(f"verdict: {word} ({verdict['level']}, against {verdict['judged_against']} schemas)")
    for problem in verdict["problems"]:
        print(f"  - {problem}")
    print("what changes:" if verdict["changes"] else "what changes: nothing a reader could notice")
    for change in verdict["changes"]:
        print("\n".join(change_lines(Change.from_data(change), paint)))
    print("who reads it:" if verdict["readers"] else "who reads it: nobody known")
    for reader in verdict["readers"]:
        print(f"  {reader['name']}: {reader['verdict']}")
    _show_policies(verdict)
    if proposal["decided_by"]:
        print(f"{proposal['status']} by {proposal['decided_by']}: {proposal['decision_reason']}")
    if proposal["status"] == "open":
        verb = "approve" if _approvable(verdict) else "refuse"
        print(f'next: mesh {verb} {number} -m "why"')
