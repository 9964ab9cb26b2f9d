"""There is no control log where one was to be read."""

from __future__ import annotations

from mesh.errors import UsageError


def no_log(where: str, why: str, fix: str) -> UsageError:
    """The error to raise: nothing is made by looking."""
    return UsageError("there is no control log here", code="MESH-U152", where=where, why=why, fix=fix)
