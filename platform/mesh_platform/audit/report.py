"""What was found in a log, as the error that people read."""

from __future__ import annotations

from mesh.errors import MeshError
from mesh_platform.audit.verification import Verified


def refuse_tampered(verified: Verified, where: str) -> None:
    """Raise MeshError (MESH-S030) for a log with a flaw."""
    flaw = verified.flaw
    if flaw is None:
        return
    touched = f"record {flaw.first}" if flaw.first == flaw.last else f"records {flaw.first} to {flaw.last}"
    raise MeshError(
        f"the control log is not what was written: {touched}",
        code="MESH-S030",
        where=where,
        why=f"{flaw.witness}: {flaw.why}",
        fix=f"compare with a backup: mesh audit log --from {flaw.first}",
    )
