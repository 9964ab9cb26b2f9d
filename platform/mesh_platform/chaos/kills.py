"""When the lives of a process under test end: a seeded schedule, by the clock and at named moments."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kill:
    """How one life ends: at the `number`-th moment of a kind, or after `seconds`."""

    moment: str | None
    number: int
    seconds: float

    @property
    def arguments(self) -> list[str]:
        """What a process under test is told of it."""
        return ["--die", f"{self.moment}:{self.number}"] if self.moment else []


@dataclass(frozen=True, slots=True)
class Moments:
    """The kinds of moments and how far into each; seconds until a process that met none is ended anyway."""

    kinds: Mapping[str, int]
    patience: float
    soonest: float  #: when the clock ends a life at the earliest
    latest: float

    def schedule(self, seed: int | str, kills: int, latest: float | None = None) -> list[Kill]:
        """A third of the kills come by the clock, the others at moments of every kind in turn."""
        dice = random.Random(seed)
        kinds, found = list(self.kinds), []
        for at in range(kills):
            moment = None if at % 3 == 0 or not kinds else kinds[(at - at // 3) % len(kinds)]
            number = dice.randint(1, self.kinds[moment]) if moment else 0
            seconds = self.patience if moment else dice.uniform(self.soonest, latest or self.latest)
            found.append(Kill(moment, number, seconds))
        dice.shuffle(found)
        return found
