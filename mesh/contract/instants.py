"""Dates and times as declarations write them: ISO 8601, as RFC 3339 profiles it."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any


def is_date(value: Any) -> bool:
    """`2026-01-31`."""
    return _reads(date.fromisoformat, value) and len(value) == 10


def is_timestamp(value: Any) -> bool:
    """`2026-01-31T10:00:00Z`, with or without an offset."""
    return _reads(datetime.fromisoformat, value) and len(value) > 10


def is_time(value: Any) -> bool:
    """`10:00:00`."""
    return _reads(time.fromisoformat, value) and ":" in value


def _reads(parse: Any, value: Any) -> bool:
    if not isinstance(value, str) or not value.isascii() or len(value) > 40:
        return False
    try:
        parse(value)
    except ValueError:
        return False
    return True
