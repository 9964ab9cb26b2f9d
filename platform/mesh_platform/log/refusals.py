"""Why a control log is not read: it is not there, or not what a log is."""

from __future__ import annotations

from mesh.errors import MeshError, UsageError


def no_log(where: str, why: str, fix: str) -> UsageError:
    """There is none; nothing is made by looking."""
    return UsageError("there is no control log here", code="MESH-U152", where=where, why=why, fix=fix)


def no_use(where: str, why: str) -> MeshError:
    """Going on without a part of it would give its ids a second time."""
    return MeshError(
        "the control log cannot be opened",
        code="MESH-S012",
        where=where,
        why=why,
        fix="mesh restore FILE --replace, from a backup, or choose another folder with --state",
    )
