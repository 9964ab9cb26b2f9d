"""Whether readers and retained events survive a change, as findings with a place in the contract."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.compatibility import Level, verdict
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract
from mesh.declaration import Declaration
from mesh.errors import Finding, Location


def compatibility_findings(old: Declaration, new: Declaration) -> tuple[Finding, ...]:
    """Every contract of both declarations whose Avro schema may not follow the one it had.

    MESH-C128 for each reason, MESH-C129 when nobody can say: unknown is never passed. Where the old text did
    not hold, C129 is a warning, as nothing else could ever mend it.
    """
    unread = {finding.where.file for finding in old.findings if isinstance(finding.where, Location)}
    found: list[Finding] = []
    for contract_id, after in new.contracts.items():
        before = old.contracts.get(contract_id)
        if before is None and after.document.file in unread:
            found.append(_unreadable(after))
        elif before is not None and before.sha256 != after.sha256:
            found += _between(before, after)
    return tuple(found)


def _unreadable(contract: Contract) -> Finding:
    return Finding(
        code="MESH-C129",
        severity="warning",
        message=f"nobody can say whether readers of {contract.id} would break: what it was did not hold",
        where=contract.document.at("version"),
        why="a text that does not hold cannot be compared",
        fix="compare with a revision that holds: mesh diff REVISION",
    )


def _between(old: Contract, new: Contract) -> Iterator[Finding]:
    found = verdict(avro_schema(new), [avro_schema(old)], Level(new.compatibility))
    why = f"{new.id} promises {new.compatibility}: events and readers of its versions understand each other"
    if found.outcome == "passed":
        return
    for problem in found.incompatibilities:
        yield Finding(
            code="MESH-C128",
            message=problem.explanation,
            where=_place(new, problem.field),
            why=why,
            fix=problem.fix,
        )
    for change in found.meanings:
        yield Finding(
            code="MESH-C128",
            message=change.explanation,
            where=_place(new, change.field),
            why=why,
            fix=f"keep {change.before or 'it as it was'}, or start a new major version",
        )
    if found.unknown:
        yield Finding(
            code="MESH-C129",
            message=found.unknown,
            where=new.document.at("schema"),
            why="a change that cannot be judged is not taken as harmless",
            fix="make the schema simpler, or start a new major version",
        )


def _place(contract: Contract, field: str) -> Location:
    """Where a field's property stands; where all properties stand when it is gone."""
    prop = contract.property(field.partition(".")[0])
    return prop.where if prop is not None else contract.document.at("schema", 0, "properties")
