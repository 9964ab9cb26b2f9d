"""What an engine cannot say of an event: a value with the reason, so that nothing is left out silently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Engine = Literal["CEL", "SQL", "Great Expectations"]


@dataclass(frozen=True, slots=True)
class Inexpressible:
    """A rule that an engine cannot check exactly as mesh does."""

    engine: Engine
    why: str

    def __str__(self) -> str:
        return f"{self.engine} cannot: {self.why}"
