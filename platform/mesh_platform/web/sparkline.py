"""A check's history as bars: the higher the fuller, a low hollow bar where nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mesh_platform.web.views import Outcome

HEIGHT = 24.0
STEP = 5.0
BAR = 3.0
RUNS = 30
LOWEST = 3.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One run: a rectangle in pixels from the top left."""

    x: float
    y: float
    height: float
    outcome: Outcome


def bars(history: Sequence[float | None]) -> tuple[Bar, ...]:
    """The last 30 runs, the latest at the right edge; one bad event in a thousand still shows."""
    runs = history[-RUNS:]
    return tuple(_bar(place, share) for place, share in enumerate(runs, RUNS - len(runs)))


def _bar(place: int, share: float | None) -> Bar:
    if share is None:
        return Bar(place * STEP, HEIGHT - LOWEST, LOWEST, "unknown")
    if share >= 1.0:
        return Bar(place * STEP, 0.0, HEIGHT, "passed")
    height = max(LOWEST, HEIGHT * 0.75 * max(share, 0.0) ** 4)
    return Bar(place * STEP, HEIGHT - height, height, "failed")


def in_words(history: Sequence[float | None]) -> str:
    """The same history for those who do not see it."""
    runs = history[-RUNS:]
    unknown = sum(share is None for share in runs)
    failed = sum(share is not None and share < 1.0 for share in runs)
    return f"last {len(runs)} runs: {len(runs) - failed - unknown} passed, {failed} failed, {unknown} unknown"
