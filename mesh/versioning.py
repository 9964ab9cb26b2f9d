"""Semantic versions of contracts and products (semver.org 2.0.0, without build metadata)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mesh.errors import UsageError

_VERSION = re.compile(r"v?(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\Z")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A contract version. A new major is a new file, port and topic; the rest are edits."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read `1.2.3` or `v1.2.3`; raises UsageError for anything else."""
        match = _VERSION.match(text)
        if match is None:
            raise UsageError(
                f"{text!r} is not a version",
                code="MESH-U011",
                why="a version is MAJOR.MINOR.PATCH, as in 1.4.0",
            )
        return cls(*(int(part) for part in match.groups()))
