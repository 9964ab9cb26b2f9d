"""What a principal may do: five rights, and which of them each request asks for.

A request that writes and is not in the tables has no right that opens it: the platform does not start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Right(StrEnum):
    """Each includes `read`; `admin` includes all."""

    READ = "read"  #: see everything, ask whether a schema would fit, say what one reads
    REGISTER = "register"  #: declare, propose, register what an approved contract covers
    APPROVE = "approve"  #: decide on proposals
    SET_POLICY = "set-policy"  #: levels and modes; delete schemas that a contract covers
    ADMIN = "admin"  #: delete for good


Rights = frozenset[Right]
EVERY_RIGHT: Final[Rights] = frozenset(Right)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: the name that the control log keeps, and what it may do."""

    name: str
    rights: Rights

    def may(self, right: Right) -> bool:
        """Whether it holds a right."""
        return right in self.rights


def held(given: Iterable[Right]) -> Rights:
    """The rights that come with these."""
    rights = frozenset(given)
    if Right.ADMIN in rights:
        return EVERY_RIGHT
    return rights | {Right.READ} if rights else rights


#: By the endpoint's name; what is not here and does not write needs `read`.
API: Final[Mapping[str, Right]] = MappingProxyType(
    {
        "declare_contract": Right.REGISTER,
        "declare_product": Right.REGISTER,
        "remove_contract": Right.REGISTER,
        "remove_product": Right.REGISTER,
        "propose": Right.REGISTER,
        "decide": Right.APPROVE,
        "subscribe": Right.READ,
    }
)
#: Of these the gate asks more where a contract owns the subject, or where they are for good.
REGISTRY: Final[Mapping[str, Right]] = MappingProxyType(
    {
        "lookup": Right.READ,
        "compatible": Right.READ,
        "compatible_with_version": Right.READ,
        "associations": Right.READ,
        "register": Right.REGISTER,
        "delete_subject": Right.REGISTER,
        "delete_version": Right.REGISTER,
        "set_config": Right.REGISTER,
        "delete_config": Right.REGISTER,
        "delete_context": Right.SET_POLICY,
        "set_mode": Right.SET_POLICY,
        "delete_mode": Right.SET_POLICY,
    }
)
#: As REGISTRY, for requests that name no subject: they hold for all of them.
EVERY_SUBJECT: Final[Mapping[str, Right]] = MappingProxyType(
    {**REGISTRY, "set_config": Right.SET_POLICY, "delete_config": Right.SET_POLICY}
)
_READING: Final = frozenset({"GET", "HEAD"})


def right_for(table: Mapping[str, Right], endpoint: str, methods: Iterable[str]) -> Right:
    """The right that opens a route; raises ValueError for a route that writes and that nobody thought of."""
    wanted = frozenset(methods)
    if wanted and wanted <= _READING:
        return Right.READ
    try:
        return table[endpoint]
    except KeyError:
        raise ValueError(f"no right opens {endpoint}: name one in mesh_platform.rights") from None
