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


Opening = tuple[Right, ...]  #: any of these opens a route
_REGISTER: Final[Opening] = (Right.REGISTER,)
_POLICY: Final[Opening] = (Right.SET_POLICY,)
_READ: Final[Opening] = (Right.READ,)
#: The gate asks more of them where a contract owns the subject, or where it is for good.
_GATED: Final[Opening] = (Right.REGISTER, Right.SET_POLICY)

#: By the endpoint's name; what is not here and does not write needs `read`.
API: Final[Mapping[str, Opening]] = MappingProxyType(
    {
        "declare_contract": _REGISTER,
        "declare_product": _REGISTER,
        "remove_contract": _REGISTER,
        "remove_product": _REGISTER,
        "propose": _REGISTER,
        "decide": (Right.APPROVE,),
        "subscribe": _READ,
    }
)
REGISTRY: Final[Mapping[str, Opening]] = MappingProxyType(
    {
        "lookup": _READ,
        "compatible": _READ,
        "compatible_with_version": _READ,
        "associations": _READ,
        "register": _REGISTER,
        "tag": _REGISTER,
        "delete_subject": _GATED,
        "delete_version": _GATED,
        "delete_context": _POLICY,
        "set_config": _GATED,
        "delete_config": _GATED,
        "set_mode": _POLICY,
        "delete_mode": _POLICY,
    }
)
#: As REGISTRY, for requests that name no subject: they hold for all of them.
EVERY_SUBJECT: Final[Mapping[str, Opening]] = MappingProxyType(
    {**REGISTRY, "set_config": _POLICY, "delete_config": _POLICY}
)
_READING: Final = frozenset({"GET", "HEAD"})


def opening(table: Mapping[str, Opening], endpoint: str, methods: Iterable[str]) -> Opening:
    """The rights that open a route; raises ValueError for one that writes and that nobody thought of."""
    wanted = frozenset(methods)
    if wanted and wanted <= _READING:
        return _READ
    try:
        return table[endpoint]
    except KeyError:
        raise ValueError(f"no right opens {endpoint}: name one in mesh_platform.rights") from None
