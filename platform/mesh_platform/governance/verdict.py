"""The verdict on a proposed contract: what changes, is it compatible, and who reads what changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mesh.compatibility import Direction, Incompatibility, Level, check, logical_changes
from mesh.contract.avro import avro_schema
from mesh.contract.fields import changes
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
    schema = avro_schema(new)
    writers = list(retained) or [avro_schema(old)]
    # The level in force judges too: else a change could bring along the licence to break readers.
    found = list(check(schema, writers, Level(old.compatibility)))
    if new.compatibility != old.compatibility:
        known = {(problem.path, problem.type) for problem in found}
        stricter = check(schema, writers, Level(new.compatibility))
        found += [problem for problem in stricter if (problem.path, problem.type) not in known]
    problems = [problem.explanation for problem in found]
    problems += [problem.explanation for problem in logical_changes(schema, writers[-1])]
    fix = "keep what readers need, or start a new major version" if problems else ""
    fields = changes(old, new)
    changed = [change for change in fields if change.kind != "added" or "." in change.subject]
    touched = {change.field for change in changed}
    known_readers = [(f"{name} (input port)", reads) for name, reads in sorted(declared_readers.items())]
    known_readers += [
        (f"{s.group} (subscription)", s.fields) for s in sorted(subscriptions, key=lambda s: s.group)
    ]
    readers = [_reader(name, reads, touched, found) for name, reads in known_readers]
    if new.version <= old.version and fields:
        problems.append(f"version {new.version} is not above {old.version}: a change needs a higher one")
        fix = fix or f"raise the version above {old.version}, then propose again"
    return {
        "compatible": not problems,
        "level": new.compatibility,
        "problems": problems,
        "fix": fix,
        "details": [{"path": p.path, "type": str(p.type), "explanation": p.explanation} for p in found],
        "changes": [
            {"kind": c.kind, "subject": c.subject, "before": c.before, "after": c.after} for c in fields
        ],
        "readers": readers,
        "judged_against": len(retained),
    }


def _reader(
    name: str, reads: Sequence[str], touched: set[str], found: Sequence[Incompatibility]
) -> dict[str, Any]:
    if found:
        # An event decodes whole or not at all: whichever fields a reader wants, it gets none.
        events = "retained" if any(p.direction is Direction.BACKWARD for p in found) else "new"
        verdict = f"could not read {events} events"
        return {"name": name, "fields": list(reads), "affected": True, "verdict": verdict}
    if not reads:
        verdict = "unknown fields: every change may matter" if touched else "nothing it could read changes"
        return {"name": name, "fields": [], "affected": bool(touched), "verdict": verdict}
    hit = sorted(set(reads) & touched)
    verdict = "reads " + ", ".join(hit) if hit else "reads none of the changed fields"
    return {"name": name, "fields": list(reads), "affected": bool(hit), "verdict": verdict}
