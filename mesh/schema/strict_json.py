"""JSON without its ambiguities: no duplicate keys, no NaN, no lone surrogates, bounded depth.

Depth is measured on the text, before a parser recurses into it.
"""

from __future__ import annotations

import json
import math
import re
from typing import NoReturn

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonProblem(ValueError):
    """The text is not JSON that every reader would understand the same way."""


class TooMuch(JsonProblem):
    """The text is larger or deeper than it may be."""


def read_json(text: str, *, max_bytes: int, max_depth: int) -> Json:
    """Parse JSON strictly; raises JsonProblem with the reason (TooMuch when over a limit).

    `max_bytes` counts UTF-8 bytes, `max_depth` nested arrays and objects.
    """
    if len(text) > max_bytes or _utf8_length(text) > max_bytes:
        raise TooMuch(f"it is larger than {max_bytes:,} bytes")
    # Most texts hold fewer brackets than the limit: no need to see how they nest.
    if text.count("[") + text.count("{") > max_depth and _depth(text) > max_depth:
        raise TooMuch(f"it is nested deeper than {max_depth} levels")
    try:
        value: Json = json.loads(
            text, object_pairs_hook=_unique_keys, parse_constant=_no_constant, parse_float=_finite
        )
    except JsonProblem:
        raise
    except json.JSONDecodeError as error:
        raise JsonProblem(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise JsonProblem(str(error)) from None
    if "\\u" in text:
        _refuse_surrogates(value)
    return value


def compact(value: object) -> str:
    """JSON without white space, characters beyond ASCII left as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _utf8_length(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise JsonProblem("it holds a lone surrogate, which UTF-8 cannot carry") from None


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        mark = match[0]
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


def _unique_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            raise JsonProblem(f"the key {key[:80]!r} appears twice in one object")
        found[key] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise JsonProblem(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise JsonProblem(f"the number {digits[:40]} does not fit a double")
    return value


def _refuse_surrogates(value: Json) -> None:
    if _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise JsonProblem("it holds a lone surrogate, which UTF-8 cannot carry")
