"""Values that break one rule of a place: proposals, which the contract's guard then judges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import add, sub
from random import Random
from typing import Any, Final

from mesh.errors import DeclarationError
from mesh.fake.building import maker_of
from mesh.fake.makers import Exhausted
from mesh.fake.patterns import Unreadable, text_of
from mesh.fake.place import Place
from mesh.rules.model import ItemCount, Length, MultipleOf, OneOf, Pattern, Range, Required, Rule, UniqueItems

_DRAWS: Final = 60
_MARKS: Final = "!~#Q7z"  #: characters that most patterns do not allow


def wrong_values(rule: Rule, place: Place, value: Any, rng: Random) -> Iterator[Any]:
    """What lies just outside the rule, then what the others allow; `value` keeps every rule."""
    others = _without(rule, place)
    match rule.check:
        case Required():
            yield None
            return
        case Range() as check:
            for _, bound in check.bounds():
                yield from _beside(bound, value)
        case MultipleOf(step):
            yield from (value + part for part in _parts(value, step))
        case Length(least, most):
            yield from _of_length(others, str(value), least, most, rng)
        case Pattern() | OneOf() if isinstance(value, str):
            yield from _misspelled(value)
        case OneOf() if isinstance(value, bool):
            yield not value
        case ItemCount(least, most):
            yield from _of_count(value, least, most, others, rng)
        case UniqueItems():
            yield from _repeating(value)
    with suppress(Exhausted, DeclarationError):
        maker = maker_of(others)
        for _ in range(_DRAWS):
            yield maker.draw(rng)


def _without(rule: Rule, place: Place) -> Place:
    """The place as it would be without the rule; examples keep it, so they are left out too."""
    kept = [other for other in place.rules.get(place.path, ()) if other != rule]
    prop = replace(place.prop, examples=()) if place.prop else None
    return replace(place, rules={**place.rules, place.path: kept}, prop=prop, preferred=())


def _beside(bound: Any, value: Any) -> Iterator[Any]:
    """The bound and what lies right and left of it, as values of the place's own type."""
    if isinstance(value, datetime):
        moment = datetime.fromisoformat(bound) if isinstance(bound, str) else bound
        if not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day)
        moment = moment.replace(tzinfo=moment.tzinfo or value.tzinfo)
        moment = moment if value.tzinfo else moment.replace(tzinfo=None)
        steps: tuple[Any, ...] = (timedelta(), timedelta(seconds=1), timedelta(days=1))
        start: Any = moment
    elif isinstance(value, date):
        start = date.fromisoformat(bound) if isinstance(bound, str) else bound
        steps = (timedelta(), timedelta(days=1))
    elif isinstance(value, Decimal):
        start, unit = Decimal(str(bound)), _last_digit(value)
        steps = (Decimal(0), unit, Decimal(1), Decimal(10))
    elif isinstance(value, float):
        start, steps = float(bound), (0.0, 1.0, abs(float(bound)) * 0.01 + 0.01, 1e3)
    else:
        start, steps = int(bound), (0, 1, 2, *range(3, 13), 60, 100, 1_000)
    for step in steps:
        for near in (sub, add):
            with suppress(OverflowError):
                yield near(start, step)


def _last_digit(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)


def _parts(value: Any, step: Any) -> Iterator[Any]:
    exact = Decimal(str(step))
    if isinstance(value, int):
        yield from (1, -1, 2)
    elif isinstance(value, Decimal):
        unit = _last_digit(value)
        yield from (unit, -unit, exact / 2)
    else:
        yield from (float(exact / 2), -float(exact / 2), float(exact / 3), float(exact / 10))


def _of_length(others: Place, value: str, least: int | None, most: int | None, rng: Random) -> Iterator[str]:
    lengths = [most + 1, most + 5] if most is not None else []
    lengths += [least - 1, 0] if least else []
    patterns = [rule.check.regex for rule in others.own if isinstance(rule.check, Pattern)]
    for length in lengths:
        yield (value * (length // max(len(value), 1) + 1) or "x" * length)[:length]
        for pattern in patterns:
            try:
                made = text_of(pattern)
            except Unreadable:
                continue
            yield from (made(rng, length) for _ in range(_DRAWS))


def _misspelled(value: str) -> Iterator[str]:
    for mark in _MARKS:
        for at in range(len(value)):
            yield value[:at] + mark + value[at + 1 :]
    yield from (value.swapcase(), value[::-1], "", f"{value}{_MARKS[0]}", f"{_MARKS[0]}{value}", value[:-1])


def _of_count(value: Any, least: int | None, most: int | None, others: Place, rng: Random) -> Iterator[Any]:
    if isinstance(value, dict):
        entries = list(value.items())
        filler = entries[-1][1] if entries else None
        if most is not None and entries:
            yield dict([*entries, *((f"more{n}", filler) for n in range(most + 1 - len(entries)))])
        if least:
            yield dict(entries[: least - 1])
        return
    if least:
        yield value[: least - 1]
    if most is not None:
        inner = maker_of(others.inside("[]", others.column.inner, others.prop.items if others.prop else None))
        try:
            more = list(value)
            for item in inner.distinct(rng):
                if len(more) > most:
                    break
                if item not in more:
                    more.append(item)
        except Exhausted:
            return
        yield more
        if value:
            yield [value[at % len(value)] for at in range(most + 1)]


def _repeating(value: Sequence[Any]) -> Iterator[Any]:
    if value:
        yield [*value[:-1], value[0]]
        yield [*value, value[0]]
        yield [value[0], *value]
