"""The review in the demo: a change that would break readers, and one that would not."""

from __future__ import annotations

from typing import Any

from mesh.apply import apply
from mesh.connection import Mesh
from mesh.contract.avro import avro_schema
from mesh.contract.reading import read_contract
from mesh.declaration import Declaration, SourceFile, declare
from mesh.errors import RegistryError
from mesh.naming import value_subject
from mesh.plan import make_plan
from mesh_platform.demo.example import CHANGED_CONTRACT, NEW_VERSION, changed, with_gate
from mesh_platform.demo.voice import Voice


def chapter(
    mesh: Mesh, files: list[SourceFile], declared: Declaration, voice: Voice, facts: dict[str, Any]
) -> None:
    """Propose, see the verdict, refuse, be stopped by the registry, propose better, approve, apply."""
    voice.chapter("Governance reviews a change: operations wants to add the gate to every departure")
    contract = declared.contracts[CHANGED_CONTRACT]
    file = contract.document.file
    problems: list[str] = facts.setdefault("problems", [])

    breaking = with_gate(contract, required=True)
    proposal = mesh.platform.propose(file, breaking, "every departure has a gate")
    verdict = proposal["verdict"]
    voice.say(f"review {proposal['number']}: the gate as a required property")
    if verdict["compatible"]:
        problems.append("a breaking change was judged compatible")
    voice.good(f"verdict: breaks readers. {verdict['problems'][0]}")
    for reader in verdict["readers"][:4]:
        voice.say(f"{reader['name']}: {reader['verdict']}")
    mesh.platform.decide(proposal["number"], "refuse", "retained events have no gate", proposal["sha256"])
    voice.good("refused")

    schema = avro_schema(read_contract(breaking.encode(), file))
    try:
        mesh.registry.register(value_subject(contract.topic), schema)
    except RegistryError as error:
        voice.good(f"the registry refuses it too, whoever asks: {error.status} {error.what.split('. ')[0]}")
    else:
        problems.append("the registry took a schema that nobody approved")

    better = with_gate(contract, required=False)
    proposal = mesh.platform.propose(file, better, "the gate where it is known")
    voice.say(f"review {proposal['number']}: the gate as an optional property")
    if not proposal["verdict"]["compatible"]:
        problems.append("a compatible change was judged breaking")
    voice.good(f"verdict: compatible, {len(proposal['verdict']['readers'])} known readers go on as they are")
    mesh.platform.decide(
        proposal["number"], "approve", "additive; nobody has to do anything", proposal["sha256"]
    )

    moved = declare(changed(files, contract, better)).require()
    world = mesh.world()
    plan = make_plan(moved, world.actual(moved))
    answers = [f"{outcome.change.verb}: {outcome.answer}" for outcome in apply(plan, world)]
    voice.good(f"approved and applied: version {NEW_VERSION}; {'; '.join(answers)}")
    facts["reviews"] = {"refused": 1, "approved": 1, "version": NEW_VERSION}
