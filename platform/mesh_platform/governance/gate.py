"""The registry as gate: an owned subject takes only the schema of an approved contract version."""

from __future__ import annotations

from mesh import naming
from mesh_platform.governance.state import GovernanceState
from mesh_platform.registry.model import Content, Kind

_VALUE = "-value"


class ContractGate:
    """Answers for a subject and a schema: allowed (None), or why not and where to propose."""

    def __init__(self, governance: GovernanceState) -> None:
        self._governance = governance

    def check(self, subject: str, content: Content) -> str | None:
        """None when allowed. A subject that no product owns is allowed."""
        topic = subject.removesuffix(_VALUE)
        contract_id = self._governance.owner_of(topic)
        if contract_id is None or subject != naming.value_subject(topic):
            return None
        versions = self._governance.contracts[contract_id]
        if content.kind is Kind.AVRO and any(version.schema == content.text for version in versions):
            return None
        latest = versions[-1]
        return (
            f"MESH-R403 subject '{subject}' belongs to contract {contract_id}, and no approved version "
            f"covers this schema (in force: {latest.version}). "
            f"Change {latest.file} and run: mesh propose {latest.file}"
        )
