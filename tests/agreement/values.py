"""Values at every edge of their types, and such as are drawn near them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

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


def words(made: random.Random) -> str:
    alphabet = "aAbN1 é\u0301𝄞\n;\"'\\%_\x00"
    return "".join(made.choice(alphabet) for _ in range(made.randint(0, 7)))


def near(edges: Sequence[Any], step: Any) -> Callable[[random.Random], Any]:
    def drawn(made: random.Random) -> Any:
        edge = made.choice([one for one in edges if one is not None])
        try:
            return edge + made.choice([-1, 0, 1]) * step
        except OverflowError:
            return edge

    return drawn


def longs(made: random.Random) -> int:
    return max(-(2**63), min(2**63 - 1, near(LONGS, 1)(made)))


def ints(made: random.Random) -> int:
    return max(-(2**31), min(2**31 - 1, near(INTS, 1)(made)))


def doubles(made: random.Random) -> float:
    return made.choice([made.uniform(-2, 2), round(made.uniform(-2, 2), 1), near(DOUBLES, 0.1)(made)])


def floats(made: random.Random) -> float:
    return made.choice([made.uniform(-2, 2), round(made.uniform(-2, 2), 1), 0.1 + made.randint(-9, 9) * 1e-9])


def money(made: random.Random) -> Decimal:
    return Decimal(made.randint(-300, 300)).scaleb(-2)


def lists(item: Callable[[random.Random], Any]) -> Callable[[random.Random], Any]:
    return lambda made: [item(made) for _ in range(made.randint(0, 5))]


def optional(item: Callable[[random.Random], Any]) -> Callable[[random.Random], Any]:
    return lambda made: None if made.random() < 0.2 else item(made)
