"""What a step may lose, and the consent that allows it: never a plain yes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

#: lossy: events may be deleted · adopt: a topic may be somebody else's · destroy: a topic is deleted whole
Kind = Literal["lossy", "adopt", "destroy"]


@dataclass(frozen=True, slots=True)
class Risk:
    """Consent is the name of the topic, typed; `why` says in sentences what may be lost."""

    kind: Kind
    name: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody has agreed to: kinds as a whole, and topics by their typed names.

    Destroying is never agreed to as a whole.
    """

    kinds: Collection[Literal["lossy", "adopt"]] = ()
    names: Collection[str] = ()

    def covers(self, risk: Risk) -> bool:
        """Whether this risk was agreed to."""
        return risk.name in self.names or risk.kind in self.kinds


#: Nobody was asked.
NO_CONSENT = Consent()
