"""The pure state of declarations, proposals, decisions and subscriptions, applied record by record.

Kinds: contract.declare · contract.remove · product.declare · product.remove · proposal.open ·
proposal.decide · subscription.put.
A record that does not hold is answered with a `Refused`; it changes nothing and is never fatal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mesh.rules.ruleset import RuleSet
from mesh_platform.governance.objections import objection
from mesh_platform.governance.policies import standing_in_the_way
from mesh_platform.governance.refused import Refused as Refused
from mesh_platform.log.record import Record


@dataclass(frozen=True, slots=True)
class ApprovedVersion:
    """One text of a contract that governance let through."""

    contract_id: str
    version: str
    sha256: str
    file: str
    text: str = field(repr=False)
    topic: str
    schema: str = field(repr=False)  #: Avro text that this version covers
    approved_by: str
    approved_at: str
    reason: str
    #: What the text yields by the release that approved it; None in records from before there were any.
    rule_set: RuleSet | None = field(default=None, repr=False)
    level: str | None = None


@dataclass(frozen=True, slots=True)
class DeclaredProduct:
    """A product file as it was declared last."""

    full_name: str
    sha256: str
    file: str
    text: str = field(repr=False)
    declared_by: str
    declared_at: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A changed contract on its way through review."""

    number: int
    contract_id: str
    version: str
    sha256: str
    base_sha256: str
    file: str
    text: str = field(repr=False)
    topic: str
    schema: str = field(repr=False)
    reason: str
    verdict: Mapping[str, Any]
    proposed_by: str
    proposed_at: str
    status: str = "open"  #: open, approved, refused or superseded
    decided_by: str = ""
    decided_at: str = ""
    decision_reason: str = ""
    rule_set: RuleSet | None = field(default=None, repr=False)
    level: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """One consumer's declared reading of one product."""

    product: str
    group: str
    fields: tuple[str, ...]
    purpose: str
    since: str


#: What a record says of a text, and what it says only since rule sets are approved too.
_SAID = ("contract_id", "version", "sha256", "file", "text", "topic", "schema")
_YIELDED = ("rule_set", "level")


def _facts(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in _SAID} | {name: body.get(name) for name in _YIELDED}


class GovernanceState:
    """What governance knows, as a view of the log."""

    def __init__(self) -> None:
        self.contracts: dict[str, list[ApprovedVersion]] = {}
        self.products: dict[str, DeclaredProduct] = {}
        self.proposals: dict[int, Proposal] = {}
        self.subscriptions: dict[tuple[str, str], Subscription] = {}
        self.topics: dict[str, str] = {}  #: by topic: the contract that owns it

    def apply(self, record: Record) -> object:
        """Apply one record; answers with the value it made, or a Refused."""
        body = record.body
        if (why := objection(self, record.kind, body)) is not None:
            return why
        match record.kind:
            case "contract.declare":
                return self._declare_contract(record, body)
            case "product.declare":
                product = DeclaredProduct(
                    body["full_name"], body["sha256"], body["file"], body["text"], record.actor, record.time
                )
                self.products[product.full_name] = product
                return product
            case "contract.remove":
                return self._remove_contract(body["contract_id"])
            case "product.remove":
                return self._remove_product(body["full_name"])
            case "proposal.open":
                return self._open(record, body)
            case "proposal.decide":
                return self._decide(record, body)
            case "subscription.put":
                key = (body["product"], body["group"])
                known = self.subscriptions.get(key)
                since = known.since if known else record.time
                subscription = Subscription(*key, tuple(body["fields"]), body["purpose"], since)
                self.subscriptions[key] = subscription
                return subscription
        return None

    def in_force(self, contract_id: str) -> ApprovedVersion | None:
        """The text that is approved last."""
        versions = self.contracts.get(contract_id)
        return versions[-1] if versions else None

    def owner_of(self, topic: str) -> str | None:
        """The contract that owns a topic."""
        return self.topics.get(topic)

    def _declare_contract(self, record: Record, body: Mapping[str, Any]) -> object:
        known = self.in_force(body["contract_id"])
        if known is not None:
            if known.sha256 == body["sha256"]:
                return known
            return Refused(
                409,
                "MESH-G010",
                f"{known.contract_id} is declared already, in version {known.version}",
                "a changed contract is reviewed before the mesh uses it",
                f"mesh propose {body['file']}",
            )
        return self._accept(
            ApprovedVersion(
                **_facts(body),
                approved_by="policy: a first version has no readers",
                approved_at=record.time,
                reason=f"declared by {record.actor}",
            )
        )

    def _remove_contract(self, contract_id: str) -> object:
        versions = self.contracts.pop(contract_id)
        for version in versions:
            self.topics.pop(version.topic, None)
        return versions[-1]

    def _remove_product(self, full_name: str) -> object:
        product = self.products.pop(full_name)
        for key in [key for key in self.subscriptions if key[0] == full_name]:
            del self.subscriptions[key]
        return product

    def _accept(self, version: ApprovedVersion) -> ApprovedVersion:
        self.contracts.setdefault(version.contract_id, []).append(version)
        self.topics[version.topic] = version.contract_id
        return version

    def _open(self, record: Record, body: Mapping[str, Any]) -> object:
        known = self.in_force(body["contract_id"])
        if known is None or known.sha256 != body["base_sha256"]:
            return Refused(
                409, "MESH-G011", "the contract in force has moved", "the verdict is stale", "propose again"
            )
        for number, other in self.proposals.items():
            if other.status == "open" and other.contract_id == body["contract_id"]:
                if other.sha256 == body["sha256"]:
                    return other
                self.proposals[number] = replace(other, status="superseded", decided_at=record.time)
        proposal = Proposal(
            **_facts(body),
            number=len(self.proposals) + 1,
            base_sha256=body["base_sha256"],
            reason=body["reason"],
            verdict=body["verdict"],
            proposed_by=record.actor,
            proposed_at=record.time,
        )
        self.proposals[proposal.number] = proposal
        return proposal

    def _decide(self, record: Record, body: Mapping[str, Any]) -> object:
        proposal = self.proposals.get(body["number"])
        if proposal is None:
            return Refused(
                404,
                "MESH-G012",
                f"there is no proposal {body['number']}",
                "proposals count from 1",
                "mesh reviews",
            )
        decided = "approved" if body["decision"] == "approve" else "refused"
        if proposal.status == decided and proposal.sha256 == body["sha256"]:
            return proposal
        if proposal.status != "open":
            return Refused(
                409,
                "MESH-G013",
                f"proposal {proposal.number} is {proposal.status} already",
                "a decision is made once; a change of mind is a new proposal",
                "mesh reviews",
            )
        if proposal.sha256 != body["sha256"]:
            why = "the text under review is not the text that was decided on"
            return Refused(
                409, "MESH-G014", "the proposal has changed", why, f"mesh review {proposal.number}"
            )
        known = self.in_force(proposal.contract_id)
        if known is None or known.sha256 != proposal.base_sha256:
            return Refused(
                409,
                "MESH-G011",
                "the contract in force has moved",
                "the verdict is stale",
                f"mesh propose {proposal.file}",
            )
        if decided == "approved" and not proposal.verdict["compatible"]:
            return Refused(
                409,
                "MESH-G015",
                f"proposal {proposal.number} does not hold",
                "; ".join(proposal.verdict["problems"][:3]),
                proposal.verdict.get("fix") or f"mesh review {proposal.number}",
            )
        against = list(standing_in_the_way(proposal.verdict))
        if decided == "approved" and against:
            return Refused(
                409,
                "MESH-G017",
                f"policies refuse proposal {proposal.number}",
                "; ".join(against[:3]),
                f"mesh review {proposal.number}",
            )
        proposal = replace(
            proposal,
            status=decided,
            decided_by=record.actor,
            decided_at=record.time,
            decision_reason=body["reason"],
        )
        self.proposals[proposal.number] = proposal
        if decided == "approved":
            self._accept(
                ApprovedVersion(
                    **{name: getattr(proposal, name) for name in (*_SAID, *_YIELDED)},
                    approved_by=record.actor,
                    approved_at=record.time,
                    reason=body["reason"],
                )
            )
        return proposal
