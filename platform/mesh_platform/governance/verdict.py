"""The verdict on a proposed contract: what changes, is it compatible, and who reads what changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mesh.change import Bump, contract_difference, finding_of
from mesh.compatibility import Direction, Incompatibility, Level, Outcome, Verdict, verdict
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract
from mesh.schema import AvroSchema
from mesh_platform.governance.state import Subscription


def judge(
    old: Contract,
    new: Contract,
    retained: Sequence[AvroSchema],
    subscriptions: Iterable[Subscription],
    declared_readers: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """A verdict as data: it travels in the proposal's record, and approval refuses what breaks readers.

    `retained` are the schemas that retained events were written with, oldest first; `declared_readers`
    maps a product to the fields it reads (empty: unknown, so every field). Where no schema is retained
    (another registry holds them, or none yet), the contract in force stands in for them.
    """
    answers = _answers(old, new, retained)
    found = _incompatibilities(answers)
    details = [{"path": p.path, "type": str(p.type), "explanation": p.explanation} for p in found]
    meanings = dict.fromkeys(change for answer in answers for change in answer.meanings)
    details += [{"path": c.path, "type": "MEANING", "explanation": c.explanation} for c in meanings]
    for unknown in dict.fromkeys(answer.unknown for answer in answers if answer.unknown):
        details.append({"path": "/", "type": "UNKNOWN", "explanation": unknown})
    fix = "keep what readers need, or start a new major version" if details else ""
    difference = contract_difference(old, new)
    for reason in (r for change in difference.changes for r in change.reasons if r.level is Bump.MAJOR):
        # What the schema says already is not said again in other words.
        if new.version.major and not any(detail["explanation"] in reason.sentence for detail in details):
            details.append({"path": reason.subject, "type": reason.aspect, "explanation": reason.sentence})
    for finding in finding_of(difference, new):
        fix = fix or finding.fix
        if difference.level is not Bump.MAJOR or not new.version.major:
            details.append({"path": "version", "type": "version", "explanation": f"{finding.message}."})
    changed = [change for change in difference.changes if change.kind != "added" or "." in change.subject]
    touched = {change.field for change in changed}
    known_readers = [(f"{name} (input port)", reads) for name, reads in sorted(declared_readers.items())]
    known_readers += [
        (f"{s.group} (subscription)", s.fields) for s in sorted(subscriptions, key=lambda s: s.group)
    ]
    readers = [_reader(name, reads, touched, found) for name, reads in known_readers]
    outcomes = {answer.outcome for answer in answers}
    avro: Outcome = "unknown" if "unknown" in outcomes else "failed" if "failed" in outcomes else "passed"
    return {
        "compatible": not details,
        "outcome": avro if avro != "passed" else "failed" if details else "passed",
        "avro": avro,
        "level": new.compatibility,
        "problems": [detail["explanation"] for detail in details],
        "fix": fix,
        "details": details,
        "changes": [change.as_data() for change in difference.changes],
        "version": {
            "level": str(difference.level),
            "needed": str(difference.needed),
            "says": str(new.version),
        },
        "readers": readers,
        "judged_against": len(retained),
    }


def _answers(old: Contract, new: Contract, retained: Sequence[AvroSchema]) -> list[Verdict]:
    schema = avro_schema(new)
    writers = list(retained) or [avro_schema(old)]
    # The level in force judges too: else a change could bring along the licence to break readers.
    levels = dict.fromkeys([old.compatibility, new.compatibility])
    return [verdict(schema, writers, Level(level)) for level in levels]


def _incompatibilities(answers: Iterable[Verdict]) -> list[Incompatibility]:
    found = {(p.path, p.type): p for answer in answers for p in answer.incompatibilities}
    return list(found.values())


def _reader(
    name: str, reads: Sequence[str], touched: set[str], found: Sequence[Incompatibility]
) -> dict[str, Any]:
    if found:
        # An event decodes whole or not at all: whichever fields a reader wants, it gets none.
        events = "retained" if any(p.direction is Direction.BACKWARD for p in found) else "new"
        said = f"could not read {events} events"
        return {"name": name, "fields": list(reads), "affected": True, "verdict": said}
    if not reads:
        said = "unknown fields: every change may matter" if touched else "nothing it could read changes"
        return {"name": name, "fields": [], "affected": bool(touched), "verdict": said}
    hit = sorted(set(reads) & touched)
    said = "reads " + ", ".join(hit) if hit else "reads none of the changed fields"
    return {"name": name, "fields": list(reads), "affected": bool(hit), "verdict": said}
