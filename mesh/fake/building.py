"""From a place of the contract to its maker: the type says what kind, the rules say which.

MESH-C150  rules that no value keeps together    MESH-C151  a pattern that no text can be made from
MESH-C152  more different values than there are
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from functools import partial
from random import Random
from typing import Any, Final, NoReturn

import pyarrow as pa

from mesh.errors import DeclarationError
from mesh.fake.formats import FORMATS, code, shaped_like, word, words
from mesh.fake.grid import grid_of
from mesh.fake.makers import Chosen, Drawn, Maker, Stepped, Written
from mesh.fake.patterns import Unreadable, text_of
from mesh.fake.place import Place
from mesh.rules.arrow import type_of
from mesh.rules.compilation import choices, counts
from mesh.rules.model import ItemCount, Length, OneOf, Pattern, UniqueItems
from mesh.rules.types import Day, Exact, Moment, Real, Text, Whole

_FEW: Final = 3  #: items of a list without limits
_WHOLE_DAY: Final = 86_400


def maker_of(place: Place) -> Maker:
    """The maker of a place; raises DeclarationError when nothing can be made there."""
    made = _allowed(place) or _of_kind(place)
    if made.capacity == 0:
        place.refuse()
    return made


def _of_kind(place: Place) -> Maker:
    match place.column.kind:
        case "record":
            return Drawn(record_of(place), place.holds)
        case "array":
            return _list(place)
        case "map":
            return _map(place)
        case "enum":
            return Chosen([s for s in place.column.symbols if place.holds(s)], place.examples)
        case "boolean":
            return Chosen([flag for flag in (True, False) if place.holds(flag)], place.examples)
    return _leaf(place)


def _allowed(place: Place) -> Chosen | None:
    """One of the values that a rule lists."""
    found = type_of(place.column.arrow)
    for rule in place.own:
        if isinstance(rule.check, OneOf):
            kept = [value for value in choices(rule, rule.check, found) if place.holds(value)]
            return Chosen(kept, [example for example in place.examples if example in kept])
    return None


def _leaf(place: Place) -> Maker:
    arrow = place.column.arrow
    found = type_of(arrow)
    if isinstance(found, Whole | Real | Exact | Moment | Day):
        spelled = str(place.prop.options.get("format", "")) if place.prop else ""
        return Stepped(grid_of(found, place.own, spelled), place.holds, place.examples)
    if isinstance(found, Text):
        return _text(place)
    if pa.types.is_time(arrow):
        return Drawn(_time_of_day, place.holds)
    if pa.types.is_fixed_size_binary(arrow):
        return Drawn(lambda rng: rng.randbytes(arrow.byte_width), place.holds)
    if pa.types.is_binary(arrow):
        return Drawn(lambda rng: rng.randbytes(rng.randint(1, 16)), place.holds)
    return place.refuse(f"values of {found} are not made")


def _time_of_day(rng: Random) -> time:
    minutes, seconds = divmod(rng.randrange(_WHOLE_DAY), 60)
    return time(*divmod(minutes, 60), seconds)


def _text(place: Place) -> Maker:
    lengths = [counts(rule, rule.check) for rule in place.own if isinstance(rule.check, Length)]
    least = max((low for low, _ in lengths), default=0)
    most = min((high for _, high in lengths if high is not None), default=None)
    reach = least + 8 if most is None else most
    patterns = [rule.check.regex for rule in place.own if isinstance(rule.check, Pattern)]
    spelled = str(place.prop.options.get("format", "")) if place.prop else ""
    if patterns:
        makes: list[Callable[[Random], str]] = []
        for pattern in patterns:
            try:
                made = text_of(pattern)
            except Unreadable as error:
                if not place.examples:
                    _unreadable(place, error)
                return Chosen(place.examples, place.examples)
            makes.append(partial(_reaching, made, reach))
        return Written(makes, place.holds, place.examples)
    if spelled in FORMATS:
        return Written([FORMATS[spelled]], place.holds, place.examples)
    codes = [example for example in place.examples if not example.isalpha() and " " not in example]
    if codes:
        return Written([lambda rng: shaped_like(rng.choice(codes), rng)], place.holds, place.examples)
    plain = (lambda rng: _fitted(words(rng), least, most, rng), lambda rng: code(rng, least, most))
    return Written(plain, place.holds, place.examples)


def _reaching(made: Any, reach: int, rng: Random) -> str:
    text: str = made(rng, reach)
    return text


def _fitted(text: str, least: int, most: int | None, rng: Random) -> str:
    while len(text) < least:
        text += (" " if text else "") + word(rng)
    return text if most is None else text[: max(most, 0)].rstrip().ljust(min(least, most), "x")


def _unreadable(place: Place, error: Unreadable) -> NoReturn:
    raise DeclarationError(
        f"no text can be made from the pattern of {place.path}",
        code="MESH-C151",
        where=place.prop.where if place.prop else place.contract.document.file,
        why=str(error),
        fix="give examples: that match the pattern; events take them",
    ) from error


def record_of(place: Place) -> Any:
    """A function that makes the fields of an object."""
    fields = []
    for name, column in place.column.parts:
        prop = next((p for p in place.prop.properties if p.name == name), None) if place.prop else None
        inner = place.inside(f".{name}", column, prop)
        fields.append((name, maker_of(inner), 0.0 if inner.required else inner.nulls))

    def make(rng: Random) -> dict[str, Any]:
        return {
            name: None if nulls and rng.random() < nulls else maker.draw(rng) for name, maker, nulls in fields
        }

    return make


def _counts(place: Place) -> tuple[int, int]:
    limits = [counts(rule, rule.check) for rule in place.own if isinstance(rule.check, ItemCount)]
    least = max((low for low, _ in limits), default=0)
    most = min((high for _, high in limits if high is not None), default=max(least, _FEW))
    return max(least, min(1, most)), min(most, max(least, _FEW)) if least <= most else least - 1


def _list(place: Place) -> Maker:
    low, high = _counts(place)
    if high < low:
        place.refuse()
    inner = maker_of(place.inside("[]", place.column.inner, place.prop.items if place.prop else None))
    if any(isinstance(rule.check, UniqueItems) for rule in place.own):
        if inner.capacity is not None:
            high = min(high, inner.capacity)

        def unique(rng: Random) -> list[Any]:
            wanted = rng.randint(low, high)
            items: dict[str, Any] = {}
            for _ in range(wanted * 40):
                if len(items) == wanted:
                    break
                value = inner.draw(rng)
                items[repr(value)] = value
            return list(items.values())

        if high < low:
            place.refuse()
        return Drawn(unique, place.holds)
    return Drawn(lambda rng: [inner.draw(rng) for _ in range(rng.randint(low, high))], place.holds)


def _map(place: Place) -> Maker:
    low, high = _counts(place)
    if high < low:
        place.refuse()
    inner = maker_of(place.inside("{}", place.column.inner, place.prop.values if place.prop else None))

    def make(rng: Random) -> dict[str, Any]:
        keys = {f"{word(rng)}{number or ''}": None for number in range(rng.randint(low, high))}
        return {key: inner.draw(rng) for key in keys}

    return Drawn(make, place.holds)
