"""Every kind of property: how a contract writes it, its rules, its values."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.agreement.drawing import (
    NO_NULLS,
    PATTERNS,
    REQUIRED,
    TEXT_RULES,
    WORDS,
    Options,
    counted,
    either,
    enums,
    picked,
    ranges,
    steps,
    valid,
)
from tests.agreement.values import (
    DAYS,
    DOUBLES,
    FLOATS,
    INTS,
    LARGE,
    LONGS,
    MOMENTS,
    MONEY,
    TEXTS,
    doubles,
    floats,
    ints,
    lists,
    longs,
    money,
    near,
    optional,
    words,
)


def _type(kind: str, **options: Any) -> dict[str, Any]:
    return {"logicalType": kind, **({"logicalTypeOptions": options} if options else {})}


def _decimal(precision: int, scale: int) -> dict[str, Any]:
    custom = [{"property": "precision", "value": precision}, {"property": "scale", "value": scale}]
    return {"logicalType": "number", "customProperties": custom}


def _listed(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"logicalType": "array", "items": item, "inside": ["items"]}


def _whole_rules() -> Callable[[random.Random], Options]:
    bounds = [-1e300, -(2**63), -5, -0.5, 0, 1.5, 5, 2**53 + 1, 2**63 - 1, 2**64]
    return either(ranges(bounds), enums([0, 1, 5, -1, 2**53 + 1]), steps([1, 3, 5, 0.5, 1.5, 2**63, 2**70]))


def _real_rules() -> Callable[[random.Random], Options]:
    bounds = [-1, -0.0, 5e-324, 0.1, 0.3, 1.5, 16777217, 2**70, 3.4e38, 1e308]
    return either(ranges(bounds), enums([0, 0.1, 1.5, -1]), steps([0.1, 0.5, 1, 3]))


_ISO = [
    "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59.999999Z",
    "1970-01-01T00:00:00Z",
    "2013-06-01",
    "2013-06-01T12:00:00Z",
    "2013-06-01T14:00:00.000001+02:00",
    "9999-12-31T23:59:59.999999Z",
]
_ISO_DAYS = sorted({iso[:10] for iso in _ISO})
_STOP = {
    "logicalType": "object",
    "properties": [
        {"name": "city", "logicalType": "string"},
        *({"name": word, "logicalType": "integer"} for word in WORDS),
    ],
}


def _stop(made: random.Random) -> dict[str, Any]:
    return {"city": optional(words)(made), **{word: optional(ints)(made) for word in WORDS}}


def _inside(*steps: Any) -> dict[str, Any]:
    return {**_STOP, "inside": ["properties", *steps]}


_MAP = {"logicalType": "map", "map": {"key": {"logicalType": "string"}, "value": {"logicalType": "integer"}}}
_DEEP = {
    "logicalType": "array",
    "items": {"logicalType": "object", "properties": [{"name": "at", **_STOP}]},
    "inside": ["items", "properties", 0, "properties", 0],
}
_Kind = tuple[
    Mapping[str, Any], Callable[[random.Random], Options], Sequence[Any], Callable[[random.Random], Any]
]
_LISTS = [
    None,
    [],
    ["a"],
    ["a", "A"],
    ["a", "a"],
    ["é", "e\u0301"],
    ["x"] * 9,
    [f"t{n}" for n in range(9)],
]
_UNIQUE: Options = {"uniqueItems": True, "maxItems": 9}
KINDS: Mapping[str, _Kind] = {
    "integer": (_type("integer"), _whole_rules(), LONGS, longs),
    "integer, 32 bits": (_type("integer", format="i32"), _whole_rules(), INTS, ints),
    "number": (_type("number"), _real_rules(), DOUBLES, doubles),
    "number, 32 bits": (_type("number", format="f32"), _real_rules(), FLOATS, floats),
    "decimal": (
        _decimal(9, 2),
        either(
            ranges([-1.501, 0, 1.5, 1.505, 9999999.99, 1e300]),
            enums([0, 0.05, 1.5]),
            steps([0.05, 1, 0.3, 1e9]),
        ),
        MONEY,
        money,
    ),
    "decimal, 38 digits": (
        _decimal(38, 10),
        either(ranges([0, 0.1, 1]), enums([0, 0.1]), steps([0.1])),
        LARGE,
        money,
    ),
    "string": (_type("string"), TEXT_RULES, TEXTS, words),
    "boolean": (
        _type("boolean"),
        enums([True, False]),
        [None, True, False],
        lambda made: made.random() < 0.5,
    ),
    "timestamp": (_type("timestamp"), ranges(_ISO), MOMENTS, near(MOMENTS[2:-1], timedelta(microseconds=1))),
    "timestamp without zone": (
        _type("timestamp", timezone=False),
        ranges(_ISO),
        [moment and moment.replace(tzinfo=None) for moment in MOMENTS],
        lambda made: near(MOMENTS[2:-1], timedelta(seconds=1))(made).replace(tzinfo=None),
    ),
    "date": (
        _type("date"),
        ranges(sorted({iso[:10] for iso in _ISO})),
        DAYS,
        near(DAYS[2:-1], timedelta(days=1)),
    ),
    "list": (
        _type("array") | {"items": _type("string")},
        either(counted("minItems", "maxItems", 4), picked([_UNIQUE])),
        _LISTS,
        lists(words),
    ),
    "list of numbers": (
        _type("array") | {"items": _type("number")},
        picked([_UNIQUE]),
        [None, [], [0.0, -0.0], [1, 1.0], [math.nan, math.nan], [math.inf, math.inf], [0.1, 0.1]],
        lists(doubles),
    ),
    "list of decimals": (
        _type("array") | {"items": _decimal(9, 2)},
        picked([_UNIQUE]),
        [None, [], [Decimal("1.5"), Decimal("1.50")]],
        lists(money),
    ),
    "list of timestamps": (
        _type("array") | {"items": _type("timestamp")},
        picked([_UNIQUE]),
        [None, [], [MOMENTS[1], MOMENTS[1]], MOMENTS[1:]],
        lists(lambda made: made.choice(MOMENTS[1:])),
    ),
    "list of integers": (
        _type("array") | {"items": _type("integer")},
        picked([_UNIQUE]),
        [None, [], [2**53, 2**53 + 1], [1, 1]],
        lists(longs),
    ),
    "items of a list": (_listed(_type("string")), TEXT_RULES, _LISTS, lists(words)),
    "numbers in a list": (
        _listed(_type("number")),
        _real_rules(),
        [None, [], [math.nan], [1.0, 5.0]],
        lists(doubles),
    ),
    "map": (
        _MAP,
        counted("minItems", "maxItems", 3),
        [None, {}, {"a": 1}],
        lambda made: {"k": 1, words(made): 2},
    ),
    "values of a map": (
        _MAP | {"inside": ["map", "value"]},
        _whole_rules(),
        [None, {}, {"a": 0, "": 5}],
        lambda made: {words(made): longs(made) for _ in range(made.randint(0, 3))},
    ),
    "inside an object": (_inside(0), TEXT_RULES, [None], _stop),
    "reserved words": (
        _STOP,
        lambda made: {"inside": ("properties", made.randint(1, len(WORDS))), **_whole_rules()(made)},
        [None],
        _stop,
    ),
    "objects in a list": (
        _DEEP,
        TEXT_RULES,
        [None, [], [{"at": None}]],
        lists(lambda made: {"at": optional(_stop)(made)}),
    ),
}
_SPAN: Options = {"minimum": 0, "exclusiveMaximum": 5}
_TIMES: Options = {"minimum": "1970-01-01T00:00:00Z", "exclusiveMaximum": "2013-06-01T12:00:00.000001Z"}
_NUMBERS: Sequence[Options] = (
    REQUIRED,
    NO_NULLS,
    _SPAN,
    {"enum": [{"value": 0}, {"value": 5}]},
    {"multipleOf": 3},
)
_FRACTIONS: Sequence[Options] = (
    REQUIRED,
    {"exclusiveMinimum": 0.05, "maximum": 1.505},
    {"enum": [{"value": 0}, {"value": 1.5}]},
    {"multipleOf": 0.3},
)
_WORDED: Sequence[Options] = (
    {"minLength": 1, "maxLength": 2},
    {"pattern": "^[a-zé]+$"},
    {"enum": [{"value": "a"}, {"value": "é"}]},
)
_MANY: Sequence[Options] = (REQUIRED, {"minItems": 1, "maxItems": 2}, _UNIQUE, {"uniqueItems": True})
#: At least one rule of each kind that a property can have.
FIXED: Mapping[str, Sequence[Options]] = {
    "integer": (*_NUMBERS, {"exclusiveMinimum": 1.5}, {"maximum": 2**53 + 1}),
    "integer, 32 bits": _NUMBERS,
    "number": (*_NUMBERS, *_FRACTIONS),
    "number, 32 bits": (*_FRACTIONS, {"minimum": 0.1}, {"exclusiveMinimum": 5e-324}, {"maximum": 1e308}),
    "decimal": _FRACTIONS,
    "decimal, 38 digits": ({"minimum": 0.1}, {"enum": [{"value": 0.1}]}, {"multipleOf": 0.3}),
    "string": (
        REQUIRED,
        NO_NULLS,
        *_WORDED,
        *({"pattern": one} for one in PATTERNS),
        valid(validValues=["a"]),
    ),
    "boolean": (REQUIRED, {"enum": [{"value": True}]}),
    "timestamp": (REQUIRED, _TIMES),
    "timestamp without zone": (REQUIRED, _TIMES),
    "date": (REQUIRED, {name: iso[:10] for name, iso in _TIMES.items()}),
    "list": _MANY,
    "list of numbers": (_UNIQUE,),
    "list of decimals": (_UNIQUE,),
    "list of timestamps": (_UNIQUE,),
    "list of integers": (_UNIQUE,),
    "items of a list": _WORDED,
    "numbers in a list": _FRACTIONS[1:],
    "map": (REQUIRED, {"minItems": 1, "maxItems": 1}),
    "values of a map": _NUMBERS[2:],
    "inside an object": (REQUIRED, NO_NULLS, *_WORDED),
    "reserved words": tuple({"inside": ("properties", n + 1), "minimum": 0} for n in range(len(WORDS))),
    "objects in a list": (REQUIRED, *_WORDED),
}
