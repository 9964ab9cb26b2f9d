"""Numbers, sizes and times in the reader's words; what is not known says so."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

UNKNOWN = "not known"


def count(number: int | None) -> str:
    """328521 → `328,521`."""
    return UNKNOWN if number is None else f"{number:,}"


def short_count(number: int | None) -> str:
    """328521 → `329k`."""
    if number is None:
        return "–"
    for limit, divisor, unit in ((1_000, 1, ""), (999_500, 1e3, "k"), (999_500_000, 1e6, "M")):
        if number < limit:
            return _three_digits(number / divisor) + unit
    return _three_digits(number / 1e9) + "G"


def _three_digits(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if value < 10 else f"{value:.0f}"


def plural(number: int, noun: str) -> str:
    """(2, `review`) → `2 reviews`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun}s"


def moment(at: datetime | None) -> str:
    """A point in time to the second, in UTC."""
    return UNKNOWN if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def ago(at: datetime | None, now: datetime) -> str:
    """How long before `now`, in the largest unit that is at least one."""
    if at is None:
        return UNKNOWN
    passed = now - at
    if passed < timedelta(seconds=-5):
        return moment(at)
    for unit, noun in (
        (timedelta(days=365), "year"),
        (timedelta(days=30), "month"),
        (timedelta(days=1), "day"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=1), "minute"),
    ):
        if passed >= unit:
            return f"{plural(passed // unit, noun)} ago"
    return "just now" if passed < timedelta(seconds=5) else f"{passed.seconds} s ago"


def window(start: datetime | None, end: datetime | None) -> str:
    """A range of time, dates alone when both ends are midnight."""
    if start is None or end is None:
        return UNKNOWN
    days = all((end_.hour, end_.minute, end_.second) == (0, 0, 0) for end_ in (start, end))
    form = "%Y-%m-%d" if days else "%Y-%m-%d %H:%M"
    return f"{start:{form}} to {end:{form}}"


def pretty_json(text: str) -> str:
    """JSON with two spaces of indent; text that is not JSON stays as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def shortened(text: str, length: int) -> str:
    """At most `length` characters, an ellipsis for the rest."""
    return text if len(text) <= length else text[: length - 1] + "…"
