"""What went through the connections: counts and times, read by the metrics."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

#: upper bounds of the histogram of answering times, in seconds
BOUNDS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0)


@dataclass(slots=True)
class Times:
    """How long requests of one kind took; one count per bound, and one beyond the last."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def note(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


@dataclass(slots=True)
class Traffic:
    """Of one node since it began."""

    accepted: int = 0
    received: int = 0
    sent: int = 0
    unsent: int = 0  #: bytes of answers that clients have not taken yet
    refused: Counter[str] = field(default_factory=Counter)
    times: dict[int, Times] = field(default_factory=dict)  #: by api key

    def answered(self, api_key: int, seconds: float) -> None:
        self.times.setdefault(api_key, Times()).note(seconds)
