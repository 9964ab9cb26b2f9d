"""One comparison's budget: a hostile pair of schemas ends it early instead of ending the process."""

from __future__ import annotations

from mesh import limits
from mesh.errors import SchemaError

#: A reader's and a writer's types may alternate in depth (unions on either side).
DEEPEST = 2 * limits.SCHEMA_DEPTH


class Budget:
    """Counts the steps of one comparison."""

    def __init__(self) -> None:
        self._limit = limits.COMPATIBILITY_STEPS
        self._left = self._limit

    def spend(self, steps: int, path: str, depth: int) -> None:
        """Take `steps`; raises SchemaError MESH-A410 when they are used up, or `depth` is too deep."""
        self._left -= steps
        if self._left < 0 or depth > DEEPEST:
            raise SchemaError(
                "the two schemas are too complex to compare",
                code="MESH-A410",
                where=path or "/",
                why=f"it takes more than {self._limit:,} steps or {DEEPEST} levels",
                fix="use fewer nested unions of records",
            )
