"""What a running pipeline tells of itself: counts since it began, and how it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Figures:
    """Written by the run alone, read by whoever asks. Events count once their transaction is committed."""

    consumed: int = 0
    published: int = 0
    dead_letters: int = 0
    committed: int = 0  #: transactions
    aborted: int = 0  #: transactions
    lag: int = 0  #: records that are there and not read, on the partitions at hand
    partitions: int = 0
    last_error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)
