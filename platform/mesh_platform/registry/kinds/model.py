"""What the registry asks of a schema, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from mesh.compatibility import Level
from mesh.schema.refusal import Hazard


class Kind(StrEnum):
    """The languages schemas are written in, as clients spell them."""

    AVRO = "AVRO"
    JSON = "JSON"
    PROTOBUF = "PROTOBUF"


#: The types of reasons that no kind calls its own.
OTHER_KIND: Final = "TYPE_MISMATCH"
CANNOT_BE_JUDGED: Final = "CANNOT_BE_JUDGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a schema may not follow an earlier one; `against` is its place in the sequence compared with.

    Of the type `CANNOT_BE_JUDGED` when nobody knows: what is not proven compatible is never called so.
    """

    type: str
    path: str
    message: str
    explanation: str
    fix: str
    against: int = 0

    def at(self, against: int) -> Reason:
        """The same reason, against another place in the sequence."""
        return replace(self, against=against)


class Parsed(Protocol):
    """A valid schema of some kind, with all that it refers to."""

    @property
    def kind(self) -> Kind:
        """The language it is written in."""
        ...

    @property
    def text(self) -> str:
        """The text kept and served: one spelling for white space and what the kind calls equal."""
        ...

    @property
    def whole(self) -> str:
        """Equal for schemas that are the same with all that they refer to, and only then."""
        ...

    @property
    def used(self) -> frozenset[str]:
        """The names of the references that the text makes use of."""
        ...

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields of an event, at its top."""
        ...

    @property
    def hazards(self) -> tuple[Hazard, ...]:
        """Why it is not safe to decode with; empty when the guards prove that it is."""
        ...

    def normal_text(self) -> str:
        """`text` without what normalisation calls equal: the order of attributes that mean nothing."""
        ...

    def reasons(self, earlier: Parsed, level: Level) -> list[Reason]:
        """What keeps this schema from following one of the same kind that is not the same schema."""
        ...


References = Mapping[str, Parsed]
