"""Properties with a rule each, as a contract writes them, and values at every edge of their types."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

Options = Mapping[str, Any]

LONGS = [None, 0, 1, -1, 3, 5, 6, 15, 2**31, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]
INTS = [None, 0, 1, -1, 3, 5, 6, 15, 2**31 - 1, -(2**31)]
DOUBLES = [
    None,
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    0.3,
    1.5,
    5,
    5e-324,
    2.0**53,
    1e308,
    math.nan,
    math.inf,
    -math.inf,
]
FLOATS = [
    None,
    0.0,
    -0.0,
    1.0,
    0.1,
    0.10000000149011612,
    0.10000001,
    1.5,
    3.4e38,
    16777217.0,
    math.nan,
    math.inf,
]
TEXTS = [
    None,
    "",
    "a",
    "A",
    "ab",
    "abc",
    "N12345",
    "é",
    "e\u0301",
    "𝄞",
    "👩‍👩‍👧",
    "a\nb",
    "\n",
    "a;b",
    'say "x"',
]
TEXTS += [
    "back\\slash",
    "it's",
    "%_",
    "\x00",
    "a\x00b",
    "\u2028",
    "ß",
    "SS",
    "x" * 300,
    "２",
    "\ud7ff",
    "\U0010ffff",
]
MOMENTS = [
    None,
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2013, 6, 1, 12, tzinfo=UTC),
    datetime(2013, 6, 1, 12, 0, 0, 1, tzinfo=UTC),
    datetime(2013, 6, 1, 11, 59, 59, 999_999, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]
DAYS = [None, date(1, 1, 1), date(1969, 12, 31), date(1970, 1, 1), date(2013, 6, 1), date(9999, 12, 31)]
MONEY = [None, *map(Decimal, ("0.00", "-0.01", "0.05", "1.50", "1.51", "9999999.99", "-9999999.99", "0.30"))]
LARGE = [None, *map(Decimal, ("0E-10", "0.1000000000", "1E+0", "-1234567890123456789012345678.0123456789"))]
PATTERNS = [
    "^N[0-9]+$",
    "a",
    "",
    "^$",
    ".",
    "a.b",
    r"\d",
    r"^\S+$",
    "(?i)^A$",
    r"\pL",
    "[^\\x00-\\x7f]",
    '"',
    "'",
    ";",
]
PATTERNS += [r"\\", "é", "^e\u0301$", "^𝄞$", "%", "a|\n", r"^\x{1D11E}$", "(?s)a.b", "(?m)^b$", r"\bab\b"]


@dataclass(frozen=True, slots=True)
class Case:
    """Properties of many types with a rule each, and which kind of property each is."""

    kinds: Mapping[str, str]
    properties: tuple[Mapping[str, Any], ...]
    rows: tuple[Mapping[str, Any], ...]


def case(seed: int, rules: int, values: int) -> Case:
    """Every kind of property with the rules and values at its edges, and so many drawn ones more."""
    made = random.Random(seed)
    kinds: dict[str, str] = {}
    properties: list[Mapping[str, Any]] = []
    columns: dict[str, list[Any]] = {}
    for number, (kind, (base, drawn_rules, edges, draw)) in enumerate(_KINDS.items()):
        options = [dict(one) for one in _FIXED.get(kind, ())] + [drawn_rules(made) for _ in range(rules)]
        some = [*edges, *[draw(made) for _ in range(values)]]
        for turn, one in enumerate(options):
            name = f"x{number}_{turn}"
            kinds[name] = kind
            properties.append(_property(name, base, one))
            columns[name] = some
    length = max(map(len, columns.values()))
    padded = {name: some + [None] * (length - len(some)) for name, some in columns.items()}
    rows = [{name: some[row] for name, some in padded.items()} for row in range(length)]
    return Case(kinds, tuple(properties), tuple(rows))


def _property(name: str, base: Mapping[str, Any], drawn: Options) -> dict[str, Any]:
    """A property of the base type; the drawn rule goes to `inside` it where the base says so."""
    made: dict[str, Any] = {"name": name, **_copied(base)}
    place: Any = made
    options = dict(drawn)
    for step in options.pop("inside", made.pop("inside", ())):
        place = place[step]
    for key in ("required", "enum", "quality"):
        if key in options:
            place[key] = options.pop(key)
    if options:
        place["logicalTypeOptions"] = {**place.get("logicalTypeOptions", {}), **options}
    return made


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def _range(bounds: Sequence[Any]) -> Callable[[random.Random], Options]:
    """One bound or two of these, which stand in order."""

    def drawn(made: random.Random) -> Options:
        low, high = sorted(made.sample(range(len(bounds)), 2))
        ends = {
            made.choice(["minimum", "exclusiveMinimum"]): bounds[low],
            made.choice(["maximum", "exclusiveMaximum"]): bounds[high],
        }
        kept = made.sample(list(ends), made.randint(1, 2))
        return {name: bound for name, bound in ends.items() if name in kept}

    return drawn


def _enum(values: Sequence[Any]) -> Callable[[random.Random], Options]:
    return lambda made: {
        "enum": [{"value": one} for one in made.sample(values, min(len(values), made.randint(1, 3)))]
    }


def _one_of(*draws: Callable[[random.Random], Options]) -> Callable[[random.Random], Options]:
    return lambda made: made.choice(draws)(made)


def _counted(least: str, most: str, up_to: int) -> Callable[[random.Random], Options]:
    def drawn(made: random.Random) -> Options:
        low = made.randint(0, up_to)
        return made.choice([{least: low}, {most: low}, {least: low, most: made.randint(low, up_to)}])

    return drawn


def _fixed(options: Sequence[Options]) -> Callable[[random.Random], Options]:
    return lambda made: made.choice(options)


def _valid(**arguments: Any) -> Options:
    return {"quality": [{"metric": "invalidValues", "mustBe": 0, "arguments": arguments}]}


def _steps(steps: Sequence[float]) -> Callable[[random.Random], Options]:
    return lambda made: {"multipleOf": made.choice(steps)}


_TEXT_RULES = _one_of(
    _counted("minLength", "maxLength", 6),
    lambda made: {"pattern": made.choice(PATTERNS)},
    _enum([text for text in TEXTS if text is not None and text.isprintable()]),
)
_REQUIRED: Options = {"required": True}
_NO_NULLS: Options = {"quality": [{"metric": "nullValues", "mustBe": 0}]}
_WORDS = ["in", "type", "size", "all", "now", "message", "map", "double", "has", "select", "order"]


def _words(made: random.Random) -> str:
    alphabet = "aAbN1 é\u0301𝄞\n;\"'\\%_\x00"
    return "".join(made.choice(alphabet) for _ in range(made.randint(0, 7)))


def _near(edges: Sequence[Any], step: Any) -> Callable[[random.Random], Any]:
    def drawn(made: random.Random) -> Any:
        edge = made.choice([one for one in edges if one is not None])
        try:
            return edge + made.choice([-1, 0, 1]) * step
        except OverflowError:
            return edge

    return drawn


def _long(made: random.Random) -> int:
    return max(-(2**63), min(2**63 - 1, _near(LONGS, 1)(made)))


def _int(made: random.Random) -> int:
    return max(-(2**31), min(2**31 - 1, _near(INTS, 1)(made)))


def _double(made: random.Random) -> float:
    return made.choice([made.uniform(-2, 2), round(made.uniform(-2, 2), 1), _near(DOUBLES, 0.1)(made)])


def _float(made: random.Random) -> float:
    return made.choice([made.uniform(-2, 2), round(made.uniform(-2, 2), 1), 0.1 + made.randint(-9, 9) * 1e-9])


def _money(made: random.Random) -> Decimal:
    return Decimal(made.randint(-300, 300)).scaleb(-2)


def _list(item: Callable[[random.Random], Any]) -> Callable[[random.Random], Any]:
    return lambda made: [item(made) for _ in range(made.randint(0, 5))]


def _optional(item: Callable[[random.Random], Any]) -> Callable[[random.Random], Any]:
    return lambda made: None if made.random() < 0.2 else item(made)


def _type(kind: str, **options: Any) -> dict[str, Any]:
    return {"logicalType": kind, **({"logicalTypeOptions": options} if options else {})}


def _decimal(precision: int, scale: int) -> dict[str, Any]:
    custom = [{"property": "precision", "value": precision}, {"property": "scale", "value": scale}]
    return {"logicalType": "number", "customProperties": custom}


def _listed(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"logicalType": "array", "items": item, "inside": ["items"]}


def _whole_rules() -> Callable[[random.Random], Options]:
    bounds = [-1e300, -(2**63), -5, -0.5, 0, 1.5, 5, 2**53 + 1, 2**63 - 1, 2**64]
    return _one_of(_range(bounds), _enum([0, 1, 5, -1, 2**53 + 1]), _steps([1, 3, 5, 0.5, 1.5, 2**63, 2**70]))


def _real_rules() -> Callable[[random.Random], Options]:
    bounds = [-1, -0.0, 5e-324, 0.1, 0.3, 1.5, 16777217, 2**70, 3.4e38, 1e308]
    return _one_of(_range(bounds), _enum([0, 0.1, 1.5, -1]), _steps([0.1, 0.5, 1, 3]))


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
        *({"name": word, "logicalType": "integer"} for word in _WORDS),
    ],
}


def _stop(made: random.Random) -> dict[str, Any]:
    return {"city": _optional(_words)(made), **{word: _optional(_int)(made) for word in _WORDS}}


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
_KINDS: Mapping[str, _Kind] = {
    "integer": (_type("integer"), _whole_rules(), LONGS, _long),
    "integer, 32 bits": (_type("integer", format="i32"), _whole_rules(), INTS, _int),
    "number": (_type("number"), _real_rules(), DOUBLES, _double),
    "number, 32 bits": (_type("number", format="f32"), _real_rules(), FLOATS, _float),
    "decimal": (
        _decimal(9, 2),
        _one_of(
            _range([-1.501, 0, 1.5, 1.505, 9999999.99, 1e300]),
            _enum([0, 0.05, 1.5]),
            _steps([0.05, 1, 0.3, 1e9]),
        ),
        MONEY,
        _money,
    ),
    "decimal, 38 digits": (
        _decimal(38, 10),
        _one_of(_range([0, 0.1, 1]), _enum([0, 0.1]), _steps([0.1])),
        LARGE,
        _money,
    ),
    "string": (_type("string"), _TEXT_RULES, TEXTS, _words),
    "boolean": (
        _type("boolean"),
        _enum([True, False]),
        [None, True, False],
        lambda made: made.random() < 0.5,
    ),
    "timestamp": (_type("timestamp"), _range(_ISO), MOMENTS, _near(MOMENTS[2:-1], timedelta(microseconds=1))),
    "timestamp without zone": (
        _type("timestamp", timezone=False),
        _range(_ISO),
        [moment and moment.replace(tzinfo=None) for moment in MOMENTS],
        lambda made: _near(MOMENTS[2:-1], timedelta(seconds=1))(made).replace(tzinfo=None),
    ),
    "date": (
        _type("date"),
        _range(sorted({iso[:10] for iso in _ISO})),
        DAYS,
        _near(DAYS[2:-1], timedelta(days=1)),
    ),
    "list": (
        _type("array") | {"items": _type("string")},
        _one_of(_counted("minItems", "maxItems", 4), _fixed([_UNIQUE])),
        _LISTS,
        _list(_words),
    ),
    "list of numbers": (
        _type("array") | {"items": _type("number")},
        _fixed([_UNIQUE]),
        [None, [], [0.0, -0.0], [1, 1.0], [math.nan, math.nan], [math.inf, math.inf], [0.1, 0.1]],
        _list(_double),
    ),
    "list of decimals": (
        _type("array") | {"items": _decimal(9, 2)},
        _fixed([_UNIQUE]),
        [None, [], [Decimal("1.5"), Decimal("1.50")]],
        _list(_money),
    ),
    "list of timestamps": (
        _type("array") | {"items": _type("timestamp")},
        _fixed([_UNIQUE]),
        [None, [], [MOMENTS[1], MOMENTS[1]], MOMENTS[1:]],
        _list(lambda made: made.choice(MOMENTS[1:])),
    ),
    "list of integers": (
        _type("array") | {"items": _type("integer")},
        _fixed([_UNIQUE]),
        [None, [], [2**53, 2**53 + 1], [1, 1]],
        _list(_long),
    ),
    "items of a list": (_listed(_type("string")), _TEXT_RULES, _LISTS, _list(_words)),
    "numbers in a list": (
        _listed(_type("number")),
        _real_rules(),
        [None, [], [math.nan], [1.0, 5.0]],
        _list(_double),
    ),
    "map": (
        _MAP,
        _counted("minItems", "maxItems", 3),
        [None, {}, {"a": 1}],
        lambda made: {"k": 1, _words(made): 2},
    ),
    "values of a map": (
        _MAP | {"inside": ["map", "value"]},
        _whole_rules(),
        [None, {}, {"a": 0, "": 5}],
        lambda made: {_words(made): _long(made) for _ in range(made.randint(0, 3))},
    ),
    "inside an object": (_inside(0), _TEXT_RULES, [None], _stop),
    "reserved words": (
        _STOP,
        lambda made: {"inside": ("properties", made.randint(1, len(_WORDS))), **_whole_rules()(made)},
        [None],
        _stop,
    ),
    "objects in a list": (
        _DEEP,
        _TEXT_RULES,
        [None, [], [{"at": None}]],
        _list(lambda made: {"at": _optional(_stop)(made)}),
    ),
}
_SPAN: Options = {"minimum": 0, "exclusiveMaximum": 5}
_TIMES: Options = {"minimum": "1970-01-01T00:00:00Z", "exclusiveMaximum": "2013-06-01T12:00:00.000001Z"}
_NUMBERS: Sequence[Options] = (
    _REQUIRED,
    _NO_NULLS,
    _SPAN,
    {"enum": [{"value": 0}, {"value": 5}]},
    {"multipleOf": 3},
)
_FRACTIONS: Sequence[Options] = (
    _REQUIRED,
    {"exclusiveMinimum": 0.05, "maximum": 1.505},
    {"enum": [{"value": 0}, {"value": 1.5}]},
    {"multipleOf": 0.3},
)
_WORDED: Sequence[Options] = (
    {"minLength": 1, "maxLength": 2},
    {"pattern": "^[a-zé]+$"},
    {"enum": [{"value": "a"}, {"value": "é"}]},
)
_MANY: Sequence[Options] = (_REQUIRED, {"minItems": 1, "maxItems": 2}, _UNIQUE, {"uniqueItems": True})
#: At least one rule of each kind that a property can have.
_FIXED: Mapping[str, Sequence[Options]] = {
    "integer": (*_NUMBERS, {"exclusiveMinimum": 1.5}, {"maximum": 2**53 + 1}),
    "integer, 32 bits": _NUMBERS,
    "number": (*_NUMBERS, *_FRACTIONS),
    "number, 32 bits": (*_FRACTIONS, {"minimum": 0.1}, {"exclusiveMinimum": 5e-324}, {"maximum": 1e308}),
    "decimal": _FRACTIONS,
    "decimal, 38 digits": ({"minimum": 0.1}, {"enum": [{"value": 0.1}]}, {"multipleOf": 0.3}),
    "string": (
        _REQUIRED,
        _NO_NULLS,
        *_WORDED,
        *({"pattern": one} for one in PATTERNS),
        _valid(validValues=["a"]),
    ),
    "boolean": (_REQUIRED, {"enum": [{"value": True}]}),
    "timestamp": (_REQUIRED, _TIMES),
    "timestamp without zone": (_REQUIRED, _TIMES),
    "date": (_REQUIRED, {name: iso[:10] for name, iso in _TIMES.items()}),
    "list": _MANY,
    "list of numbers": (_UNIQUE,),
    "list of decimals": (_UNIQUE,),
    "list of timestamps": (_UNIQUE,),
    "list of integers": (_UNIQUE,),
    "items of a list": _WORDED,
    "numbers in a list": _FRACTIONS[1:],
    "map": (_REQUIRED, {"minItems": 1, "maxItems": 1}),
    "values of a map": _NUMBERS[2:],
    "inside an object": (_REQUIRED, _NO_NULLS, *_WORDED),
    "reserved words": tuple({"inside": ("properties", n + 1), "minimum": 0} for n in range(len(_WORDS))),
    "objects in a list": (_REQUIRED, *_WORDED),
}
