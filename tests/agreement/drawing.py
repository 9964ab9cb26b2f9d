"""Rules as a contract writes them: what may be drawn for each kind."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.agreement.values import TEXTS

Options = Mapping[str, Any]
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
REQUIRED: Options = {"required": True}
NO_NULLS: Options = {"quality": [{"metric": "nullValues", "mustBe": 0}]}
WORDS = ["in", "type", "size", "all", "now", "message", "map", "double", "has", "select", "order"]


def ranges(bounds: Sequence[Any]) -> Callable[[random.Random], Options]:
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


def enums(values: Sequence[Any]) -> Callable[[random.Random], Options]:
    return lambda made: {
        "enum": [{"value": one} for one in made.sample(values, min(len(values), made.randint(1, 3)))]
    }


def either(*draws: Callable[[random.Random], Options]) -> Callable[[random.Random], Options]:
    return lambda made: made.choice(draws)(made)


def counted(least: str, most: str, up_to: int) -> Callable[[random.Random], Options]:
    def drawn(made: random.Random) -> Options:
        low = made.randint(0, up_to)
        return made.choice([{least: low}, {most: low}, {least: low, most: made.randint(low, up_to)}])

    return drawn


def picked(options: Sequence[Options]) -> Callable[[random.Random], Options]:
    return lambda made: made.choice(options)


def valid(**arguments: Any) -> Options:
    return {"quality": [{"metric": "invalidValues", "mustBe": 0, "arguments": arguments}]}


def steps(steps: Sequence[float]) -> Callable[[random.Random], Options]:
    return lambda made: {"multipleOf": made.choice(steps)}


TEXT_RULES = either(
    counted("minLength", "maxLength", 6),
    lambda made: {"pattern": made.choice(PATTERNS)},
    enums([text for text in TEXTS if text is not None and text.isprintable()]),
)
