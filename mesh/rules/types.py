"""What kinds of values rules know: the types of an event's properties, without any engine's own.

A rule is compiled against these, so that `mesh check` needs no Arrow and every engine gets the same operands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TimeUnit = Literal["ms", "us", "ns"]


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number of 32 or 64 bits."""

    bits: int = 64

    def __str__(self) -> str:
        return "whole number"


@dataclass(frozen=True, slots=True)
class Real:
    """A floating number of 32 or 64 bits: NaN and the infinities are values of it."""

    bits: int = 64

    def __str__(self) -> str:
        return "number"


@dataclass(frozen=True, slots=True)
class Exact:
    """A decimal: `precision` digits in all, `scale` of them after the point."""

    precision: int
    scale: int

    def __str__(self) -> str:
        return f"decimal({self.precision}, {self.scale})"


@dataclass(frozen=True, slots=True)
class Text:
    """Text, whose characters are code points."""

    def __str__(self) -> str:
        return "text"


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def __str__(self) -> str:
        return "boolean"


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time; without `utc` it is a reading of a local clock."""

    utc: bool = True
    unit: TimeUnit = "us"

    def __str__(self) -> str:
        return "timestamp" if self.utc else "local timestamp"


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day."""

    def __str__(self) -> str:
        return "date"


@dataclass(frozen=True, slots=True)
class Opaque:
    """Anything whose value no check looks into: bytes, times of day, unions of several types."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Items:
    """A list of `item`."""

    item: Type

    def __str__(self) -> str:
        return f"list of {self.item}"


@dataclass(frozen=True, slots=True)
class Entries:
    """A map from text to `value`."""

    value: Type

    def __str__(self) -> str:
        return f"map to {self.value}"


@dataclass(frozen=True, slots=True)
class Object:
    """Named values."""

    fields: tuple[tuple[str, Type], ...]

    def __str__(self) -> str:
        return "object"

    def field(self, name: str) -> Type | None:
        """The type of a field, None when there is none of that name."""
        return next((found for field, found in self.fields if field == name), None)

    def names_alike(self, name: str) -> bool:
        """Whether another field has the same name but for case."""
        return sum(field.casefold() == name.casefold() for field, _ in self.fields) > 1


Number = Whole | Real | Exact
Type = Whole | Real | Exact | Text | Flag | Moment | Day | Opaque | Items | Entries | Object
