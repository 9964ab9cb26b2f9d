"""The one refusal that both databases share."""

from __future__ import annotations

from mesh.errors import UsageError


def inside_another() -> UsageError:
    """An effect inside somebody else's transaction would be there only when that one is committed."""
    return UsageError(
        "the connection is inside a transaction already",
        code="MESH-U172",
        why="an inbox commits the effect with the event's id, and would commit the other one with them",
        fix="commit before, or note events in your own transaction with inbox.first_time(event)",
    )
