"""Events that keep a contract, made from it and a seed: the same seed, the same events.

Each property draws from numbers of its own, so a property more changes nothing in the others. The first
events of a longer run are the events of a shorter one, which is how values of one product are found in
another: a property with a relationship takes the values of the first REFERENCED events it leads to.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain, product
from random import Random
from typing import Any, Final, NoReturn

import pyarrow as pa

from mesh.codec import layout_of, to_batch
from mesh.contract.model import Contract
from mesh.contract.record_rules import record_rules
from mesh.errors import DeclarationError
from mesh.fake.building import maker_of
from mesh.fake.grid import between
from mesh.fake.makers import Chosen, Exhausted, Maker, Stepped, first
from mesh.fake.place import NULLS, Place
from mesh.fake.references import Target, references
from mesh.port import OutputPort
from mesh.rules.arrow import type_of
from mesh.rules.model import Rule
from mesh.rules.types import Moment

REFERENCED: Final = 10
_AT_MOST: Final = ("mustBe", "mustBeLessOrEqualTo", "mustBeLessThan")
_ZERO: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SECOND: Final = _ZERO + timedelta(seconds=1)
_PLENTY: Final = 1_000_000
_PAUSE: Final = 600  #: seconds at most between two events
_APART: Final = 7_200  #: seconds between the time of an event and other moments in it


class Fake:
    """Makes events of one contract; `among` are the contracts that relationships may lead to."""

    def __init__(
        self,
        contract: Contract,
        seed: int = 0,
        among: Iterable[Contract] = (),
        *,
        nulls: float = NULLS,
        following: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        self.contract = contract
        self.port = OutputPort(contract)
        self._seed = seed
        self._among = tuple(among)
        self._nulls = nulls
        self._following = following
        self._makers: dict[str, Maker] = {}
        self._rules: dict[str, list[Rule]] = {}
        for rule in record_rules(contract):
            self._rules.setdefault(rule.path, []).append(rule)

    def events(self, count: int) -> list[dict[str, Any]]:
        """The first `count` events; raises DeclarationError for rules that no event keeps."""
        names = [name for name, _ in self._parts]
        columns = self._columns(count)
        return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def batch(self, count: int) -> pa.RecordBatch:
        """The same as an Arrow batch, judged by the contract's own rules."""
        batch = to_batch(self.events(count), self.port.codec)
        for rule in self.port.guard.check(batch).failures:
            raise DeclarationError(
                f"the events made do not keep {rule.name!r}",
                code="MESH-C150",
                where=rule.path,
                why=f"{rule.sentence}, and the other rules leave no way to it",
                fix="correct the rules, or give examples: that keep them",
            )
        return batch

    def place(self, name: str) -> Place:
        """A top-level property as a place to fill."""
        column = dict(self._parts)[name]
        prop = self.contract.property(name)
        return Place(self.contract, name, column, prop, self._rules, self._nulls, self._expected(name))

    def column(self, name: str, count: int) -> list[Any]:
        """The values of one property in the first `count` events."""
        return self._columns(count, only=name)[name]

    # --- columns ---------------------------------------------------------------------------------

    @cached_property
    def _parts(self) -> tuple[tuple[str, Any], ...]:
        return layout_of(self.port.schema).parts

    def _columns(self, count: int, only: str = "") -> dict[str, list[Any]]:
        spelled = self._composite(count)
        made: dict[str, list[Any]] = {}
        for name, _ in self._parts:
            if only in ("", name):
                made[name] = spelled[name] if name in spelled else self._column(name, count)
        return made

    def _column(self, name: str, count: int) -> list[Any]:
        place, maker = self.place(name), self._maker(name)
        rng = self._numbers(name)
        try:
            if name in self._different:
                values = self._moving(name, count, 1) or self._each_once(name, count)
            elif (moments := self._moving(name, count, 0)) is not None:
                values = moments
            else:
                draw = maker.draw
                values = [draw(rng) for _ in range(count)]
        except Exhausted:
            self._refuse(place, count, name in self._different)
        share = 0.0 if place.required else min(place.nulls, self._tolerated(name))
        if not share:
            return values
        missing = self._numbers(f"{name} is null")
        return [None if missing.random() < share else value for value in values]

    def _each_once(self, name: str, count: int) -> list[Any]:
        place = self.place(name)
        there = dict.fromkeys(value for value in self._elsewhere(name, count) if place.holds(value))
        own = (value for value in maker_of(place).distinct(self._numbers(name)) if value not in there)
        return first(count, chain(there, own))

    def _maker(self, name: str) -> Maker:
        if name not in self._makers:
            place = self.place(name)
            kept = [value for value in self._elsewhere(name, REFERENCED) if place.holds(value)]
            self._makers[name] = Chosen(kept) if kept else maker_of(place)
        return self._makers[name]

    def _elsewhere(self, name: str, count: int) -> list[Any]:
        """The first values of the property that this one leads to; none where references go in a circle."""
        target = self._references.get(name)
        if target is None or (target.contract.id, target.name) in self._following:
            return []
        following = self._following | {(self.contract.id, name)}
        other = Fake(target.contract, self._seed, self._among, following=following)
        values = other.column(target.name, min(count, other.most()))
        return [value for value in values if value is not None]

    @cached_property
    def _references(self) -> dict[str, Target]:
        return references(self.contract, self._among)

    def most(self) -> int:
        """How many events there can be, as far as what must not repeat limits them."""
        sizes = [maker_of(self.place(name)).capacity for name in self._different]
        return min((size for size in sizes if size is not None), default=_PLENTY)

    def _moving(self, name: str, count: int, apart: int) -> list[Any] | None:
        """Moments in the order of events: the time of the event moves on, others stay near it."""
        maker = self._maker(name)
        if not isinstance(maker, Stepped) or not isinstance(type_of(dict(self._parts)[name].arrow), Moment):
            return None
        clock, grid = self._numbers("time"), maker.grid
        leading = name == self.contract.event_time or apart
        own = None if leading else self._numbers(name)
        second = max(1, grid.step_of(_SECOND) - grid.step_of(_ZERO))
        step = min(maker.examples, default=grid.window[0])
        values = []
        for _ in range(count):
            step += second * between(clock, apart, _PAUSE)
            if step > grid.high and apart:
                return None
            chosen = step if own is None else step + second * between(own, -_APART, _APART)
            values.append(grid.value_at(grid.clipped(chosen)))
        return values

    @cached_property
    def _different(self) -> set[str]:
        """Properties that never repeat: a key of one, what is said to be unique, or has no duplicates."""
        found = set(self.contract.key if len(self.contract.key) == 1 else ())
        for item in self.contract.document.data["schema"][0]["properties"]:
            if item.get("unique"):
                found.add(item["name"])
        for rule in self.contract.quality:
            exact = rule.threshold == 0 and rule.severity == "error"
            if rule.metric == "duplicateValues" and rule.property and exact:
                found.add(rule.property)
        return found

    def _composite(self, count: int) -> dict[str, list[Any]]:
        """The columns of a key of several properties: one that never repeats, or all combinations."""
        key = self.contract.key
        if len(key) < 2 or self._different.intersection(key):
            return {}
        makers = {name: self._maker(name) for name in key}
        sizes = {name: _PLENTY if m.capacity is None else m.capacity for name, m in makers.items()}
        widest = max(key, key=lambda name: sizes[name])
        try:
            if sizes[widest] >= _PLENTY:
                moving = self._moving(widest, count, 1)
                return {widest: moving or first(count, makers[widest].distinct(self._numbers(widest)))}
            pools = [first(min(sizes[n], count), makers[n].distinct(self._numbers(n))) for n in key]
            together = first(count, product(*pools))
        except Exhausted:
            self._refuse(self.place(widest), count, True)
        columns = zip(*together, strict=True) if together else ([] for _ in key)
        return {name: list(column) for name, column in zip(key, columns, strict=True)}

    def _tolerated(self, name: str) -> float:
        """The share of nulls that the contract's own window rules let pass."""
        shares = [1.0]
        for rule in self.contract.quality:
            counts_nulls = rule.property == name and rule.metric in ("nullValues", "missingValues")
            limit = rule.threshold if counts_nulls and rule.operator in _AT_MOST else None
            if isinstance(limit, int | float):
                shares.append(limit / 200 if rule.unit == "percent" else 0.0)
        return min(shares)

    def _expected(self, name: str) -> tuple[Any, ...]:
        """What properties that lead here can only have: their values and examples."""
        enums: list[Any] = []
        examples: list[Any] = []
        for other in sorted(self._among, key=lambda contract: contract.id):
            for start, target in references(other, self._among).items():
                prop = other.property(start)
                if prop is not None and (target.contract.id, target.name) == (self.contract.id, name):
                    enums += prop.enum
                    examples += prop.examples
        return tuple(dict.fromkeys(chain(enums, examples)))

    def _numbers(self, purpose: str) -> Random:
        return Random(f"{self._seed}/{self.contract.id}/{purpose}")

    def _refuse(self, place: Place, count: int, different: bool) -> NoReturn:
        if not different:
            place.refuse()
        raise DeclarationError(
            f"there are no {count:,} different values of {place.path}",
            code="MESH-C152",
            where=place.prop.where if place.prop else place.contract.document.file,
            why="it must not repeat, and "
            + ("; ".join(rule.sentence for rule in self._rules.get(place.path, ())) or "there are no more"),
            fix="ask for fewer events: -n",
        )


def events(
    contract: Contract, count: int, *, seed: int = 0, among: Iterable[Contract] = ()
) -> list[dict[str, Any]]:
    """`count` events that keep the contract, as dicts; raises DeclarationError (MESH-C150, MESH-C151)."""
    return Fake(contract, seed, among).events(count)
