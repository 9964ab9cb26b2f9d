"""Whether versions rise as far as what changed asks: findings for checks, plans and proposals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mesh import naming
from mesh.change.bump import Bump
from mesh.change.contracts import contract_difference
from mesh.change.model import Difference
from mesh.contract.model import Contract
from mesh.declaration import Declaration
from mesh.errors import Finding

_MOST = 5  #: reasons that one finding names


def version_findings(old: Declaration, new: Declaration) -> tuple[Finding, ...]:
    """Every contract of both declarations whose version is too low, and every one that went while in use."""
    found: list[Finding] = []
    for contract_id, before in old.contracts.items():
        after = new.contracts.get(contract_id)
        found += version_finding(before, after) if after else _removed(before)
    return tuple(found)


def version_finding(old: Contract, new: Contract) -> tuple[Finding, ...]:
    """MESH-C120 when the version is too low for what changed, MESH-C121 when no version is enough."""
    return finding_of(contract_difference(old, new), new)


def finding_of(difference: Difference, new: Contract) -> tuple[Finding, ...]:
    """As `version_finding`, for a difference that is known."""
    if difference.enough or difference.needed is None:
        return ()
    reasons = _reasons(difference, difference.level)
    if difference.needed.major != new.version.major:
        name = naming.parse_topic(new.topic)
        following = f"{new.id.rpartition('.')[0]}.v{difference.needed.major}"
        return (
            Finding(
                code="MESH-C121",
                message=f"what changes in {new.id} breaks readers: it needs a new major version",
                where=new.document.at("version"),
                why=" ".join(reasons),
                fix=f"keep what readers need, or write {following} in a file of its own and give "
                f"{new.id} an endOfSupport, until which {name.product_name} publishes to both",
            ),
        )
    return (
        Finding(
            code="MESH-C120",
            message=f"{new.id} says version {new.version} after {difference.before}; "
            f"what changed needs {difference.needed} or higher",
            where=new.document.at("version"),
            why=" ".join(reasons),
            fix=f"write version: {difference.needed}, then run: mesh diff",
        ),
    )


def _reasons(difference: Difference, level: Bump) -> Sequence[str]:
    sentences = [
        reason.sentence for change in difference.changes for reason in change.reasons if reason.level is level
    ]
    more = len(sentences) - _MOST
    return [*sentences[:_MOST], *([f"And {more} more."] if more > 0 else [])] or [
        "A version names one text, and never falls."
    ]


def _removed(contract: Contract) -> Iterator[Finding]:
    if contract.status != "retired":
        yield Finding(
            code="MESH-C124",
            message=f"{contract.id} is gone, and was {contract.status}",
            where=contract.document.file,
            why="its topic and its readers are still there, and nobody answers for them",
            fix="put the file back; write status: deprecated and endOfSupport, and remove it once retired",
        )
