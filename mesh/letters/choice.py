"""Which dead letters are meant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from mesh.contract import durations
from mesh.errors import UsageError
from mesh.letters.letter import Letter


@dataclass(frozen=True, slots=True)
class Choice:
    """Letters that fit everything that is said here; nothing said is all of them."""

    numbers: frozenset[int] = frozenset()
    code: str = ""
    group: str = ""
    since_ms: int = 0

    def fits(self, letter: Letter) -> bool:
        """Whether a letter is meant."""
        return (
            (not self.numbers or letter.number in self.numbers)
            and (not self.code or letter.code == self.code)
            and (not self.group or letter.group == self.group)
            and letter.at_ms >= self.since_ms
        )


def since(text: str, now: datetime) -> int:
    """A duration back from now (`PT2H`, `P1D`) or a time in ISO 8601, in milliseconds since 1970.

    Raises UsageError (MESH-U173). A time without a zone counts as UTC.
    """
    back = durations.milliseconds(text)
    if back is not None and back != durations.FOREVER:
        return int(now.timestamp() * 1000) - back
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is neither a time nor a duration",
            code="MESH-U173",
            why="letters are chosen from a time on, or from so long ago",
            fix="--since PT2H, or --since 2026-01-31T12:00",
        ) from None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
