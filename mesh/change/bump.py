"""How far a version must rise: not at all, patch, minor or major (semver.org 2.0.0, items 4 and 6 to 8)."""

from __future__ import annotations

from enum import IntEnum

from mesh.errors import UsageError
from mesh.versioning import Version


class Bump(IntEnum):
    """What a change asks of the version; they have an order."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> Bump:
        """Read `patch`, `minor` or `major`; raises UsageError for anything else."""
        found = {str(bump): bump for bump in cls if bump}.get(text.lower())
        if found is None:
            raise UsageError(
                f"{text!r} is no part of a version",
                code="MESH-U120",
                why="a change needs a patch, a minor or a major",
                fix="mesh diff --fail-on major",
            )
        return found


def needed(before: Version, bump: Bump) -> Version:
    """The lowest version that may follow `before`; in major zero a minor is enough to break."""
    if bump is Bump.MAJOR and before.major > 0:
        return Version(before.major + 1, 0, 0)
    if bump >= Bump.MINOR:
        return Version(before.major, before.minor + 1, 0)
    return Version(before.major, before.minor, before.patch + 1) if bump else before
