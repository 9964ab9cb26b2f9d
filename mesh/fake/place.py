"""One place of an event that values are made for: its type, its rules, its examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, NoReturn

import pyarrow as pa

from mesh.codec import Column
from mesh.contract.model import Contract, Property
from mesh.errors import DeclarationError
from mesh.fake.makers import Holds
from mesh.rules.arrow import type_of
from mesh.rules.closures import compile_closures
from mesh.rules.model import Required, Rule
from mesh.rules.operands import bound_of
from mesh.rules.types import Day, Moment, Text

NULLS: Final = 0.1  #: share of nulls where a value may be missing
_PLACE: Final = "value"


@dataclass(frozen=True)
class Place:
    """One place of an event: its layout, its property when the contract has one, and its rules."""

    contract: Contract
    path: str
    column: Column
    prop: Property | None
    rules: Mapping[str, Sequence[Rule]]
    nulls: float = NULLS
    preferred: tuple[Any, ...] = field(default=())  #: values that others expect here

    @cached_property
    def own(self) -> tuple[Rule, ...]:
        """The rules of this place alone, as rules of a column by itself."""
        found = self.rules.get(self.path, ())
        return tuple(replace(rule, path=_PLACE) for rule in found if not isinstance(rule.check, Required))

    @property
    def required(self) -> bool:
        """Whether a value must be there."""
        asked = any(isinstance(rule.check, Required) for rule in self.rules.get(self.path, ()))
        return asked or not self.column.nullable

    @cached_property
    def holds(self) -> Holds:
        """Whether a value keeps the rules of this place."""
        if not self.own:
            return lambda _value: True
        guard = compile_closures(self.own, pa.schema([(_PLACE, self.column.arrow)]))
        return lambda value: not guard.check({_PLACE: value})

    @cached_property
    def examples(self) -> tuple[Any, ...]:
        """The examples of the contract that are values here and keep the rules."""
        found = type_of(self.column.arrow)
        given = self.prop.examples if self.prop else ()
        kept = []
        for example in (*self.preferred, *given):
            if isinstance(found, Moment | Day):
                probe = Rule(name=_PLACE, path=_PLACE, check=Required())
                try:
                    example = bound_of(probe, example, found)
                except DeclarationError:
                    continue
            elif isinstance(found, Text) != isinstance(example, str) or isinstance(example, bool | list):
                continue
            if self.holds(example):
                kept.append(example)
        return tuple(kept)

    def inside(self, step: str, column: Column, prop: Property | None) -> Place:
        """A place inside this one."""
        return Place(self.contract, f"{self.path}{step}", column, prop, self.rules, self.nulls)

    def refuse(self, why: str = "") -> NoReturn:
        """Raise DeclarationError naming the rules that no value keeps."""
        sentences = [f"{rule.name!r} ({rule.sentence})" for rule in self.rules.get(self.path, ())]
        raise DeclarationError(
            f"no value of {self.path} can be made: {' and '.join(sentences) or 'its type has none'}",
            code="MESH-C150",
            where=self.prop.where if self.prop else self.contract.document.file,
            why=why or "events that keep the contract are made, or none",
            fix="correct the rules, or give examples: that keep them",
        )
