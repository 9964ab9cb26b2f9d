"""Why governance changed nothing, as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a record changed nothing."""

    status: int
    code: str
    what: str
    why: str = ""
    fix: str = ""
