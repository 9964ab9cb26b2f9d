"""What stands against a record, from nothing but the state before it.

Asked twice: before a record is written, so that what is refused anyway leaves none, and when it is applied,
because another record may have come between. What applying finds decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from mesh.contract.reading import read_contract
from mesh.errors import DeclarationError
from mesh.plan.destroy import FREE
from mesh.product import read_product
from mesh_platform.governance.refused import Refused

if TYPE_CHECKING:
    from mesh_platform.governance.state import ApprovedVersion, DeclaredProduct, GovernanceState

_NOT_HERE: Final = "the catalog does not hold it, or not any more"


def objection(state: GovernanceState, kind: str, body: Mapping[str, Any]) -> Refused | None:
    """Why a record changes nothing; None when nothing stands against it, or only applying it can tell."""
    match kind:
        case "product.declare":
            return _unfounded(state, body["full_name"], body.get("offers", ()))
        case "contract.remove":
            return _held(state, body["contract_id"])
        case "product.remove" if (name := body["full_name"]) not in state.products:
            return Refused(404, "MESH-G025", f"there is no product {name!r}", _NOT_HERE, "mesh products")
        case "subscription.put" if (name := body["product"]) not in state.products:
            return Refused(404, "MESH-G026", f"nobody can read {name!r}", _NOT_HERE, "mesh products")
    return None


def _unfounded(state: GovernanceState, name: str, offers: list[str]) -> Refused | None:
    for contract_id in offers:
        if state.in_force(contract_id) is None:
            return Refused(
                409,
                "MESH-G020",
                f"{name} offers {contract_id}, which is not declared",
                "a product stands on contracts",
                "mesh apply",
            )
    return None


def _held(state: GovernanceState, contract_id: str) -> Refused | None:
    """Whether a contract stays: while it promises something, and while a product stands on it."""
    known = state.in_force(contract_id)
    if known is None:
        return Refused(404, "MESH-G024", f"there is no contract {contract_id!r}", _NOT_HERE, "mesh plan")
    what = f"{contract_id} cannot be removed"
    status = _status(known)
    if status not in FREE:
        return Refused(
            409,
            "MESH-G022",
            what,
            f"it is {status}: its readers are promised that the events stay",
            "write status: retired, and have that reviewed: mesh propose",
        )
    if used := sorted(p.full_name for p in state.products.values() if _stands_on(p, contract_id)):
        return Refused(
            409,
            "MESH-G023",
            what,
            f"declared products stand on it: {', '.join(used)}",
            "mesh apply --destroy, after these products let go of it",
        )
    return None


def _status(known: ApprovedVersion) -> str:
    try:
        return read_contract(known.text.encode(), known.file).status
    except DeclarationError:
        # Approved under earlier rules and not readable today: nobody can say that it is free.
        return "unknown"


def _stands_on(declared: DeclaredProduct, contract_id: str) -> bool:
    if contract_id not in declared.text:
        return False
    try:
        product = read_product(declared.text.encode(), declared.file)
    except DeclarationError:
        return True  # it names the contract, and nobody can say any more what for
    return any(port.contract_id == contract_id for port in (*product.output_ports, *product.input_ports))
