"""Whether a contract may be let go: not while it promises something, and not while a product stands on it."""

from __future__ import annotations

from mesh.contract.model import Contract
from mesh.plan.destroy import FREE
from mesh.product import read_product
from mesh_platform.governance.state import GovernanceState, Refused


def held(governance: GovernanceState, contract: Contract) -> Refused | None:
    """Why a contract in force stays; None when it may go."""
    what = f"{contract.id} cannot be removed"
    if contract.status not in FREE:
        return Refused(
            409,
            "MESH-G022",
            what,
            f"it is {contract.status}: its readers are promised that the events stay",
            "write status: retired, and have that reviewed: mesh propose",
        )
    if used := sorted(name for name in governance.products if _stands_on(governance, name, contract.id)):
        return Refused(
            409,
            "MESH-G023",
            what,
            f"declared products stand on it: {', '.join(used)}",
            "mesh apply --destroy, after these products let go of it",
        )
    return None


def _stands_on(governance: GovernanceState, name: str, contract_id: str) -> bool:
    declared = governance.products[name]
    if contract_id not in declared.text:
        return False
    product = read_product(declared.text.encode(), declared.file)
    return any(port.contract_id == contract_id for port in (*product.output_ports, *product.input_ports))
