"""Compatibility modes: who must be able to read what, when a schema changes."""

from __future__ import annotations

from enum import StrEnum

from mesh.errors import UsageError


class Level(StrEnum):
    """The seven modes of schema registries.

    Backward: the new schema reads what was written with the earlier one. Forward: the earlier
    schema reads what is written with the new one. Transitive: every earlier one, not just the last.
    """

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"

    @property
    def backward(self) -> bool:
        """Whether new readers must understand earlier events."""
        return self.startswith(("BACKWARD", "FULL"))

    @property
    def forward(self) -> bool:
        """Whether earlier readers must understand new events."""
        return self.startswith(("FORWARD", "FULL"))

    @property
    def transitive(self) -> bool:
        """Whether all earlier schemas count, not only the last."""
        return self.endswith("_TRANSITIVE")

    @classmethod
    def parse(cls, text: str) -> Level:
        """Read a mode in any case; raises UsageError for anything else."""
        try:
            return cls(text.upper())
        except ValueError:
            raise UsageError(
                f"{text!r} is not a compatibility mode",
                code="MESH-U023",
                why=f"the modes are {', '.join(cls)}",
            ) from None
