"""Two ways to serve: for developing, where any subject may be tried out, and for others: contracts rule."""

from __future__ import annotations

from enum import StrEnum


class Profile(StrEnum):
    """How a platform treats subjects that no contract owns."""

    DEVELOPMENT = "development"  #: they take any schema
    SERVER = "server"  #: they take none

    @classmethod
    def fitting(cls, *, loopback: bool) -> Profile:
        """The one for an address that nobody named a profile for."""
        return cls.DEVELOPMENT if loopback else cls.SERVER
