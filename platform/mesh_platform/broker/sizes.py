"""Sizes as people write them: `20GiB` in, `20.0 GiB` out."""

from __future__ import annotations

import re

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_SIZE = re.compile(rf"(\d+) ?({'|'.join(_UNITS)})?")


def size(text: str) -> int:
    """Bytes of `4096`, `512MiB`, `20GiB`. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{text!r} is not a size: write a number above 0 and B, KiB, MiB, GiB or TiB")
    return int(found[1]) << 10 * _UNITS.index(found[2] or "B")


def told(number: int) -> str:
    """The size in the largest unit that leaves something before the point."""
    power = min(max(number.bit_length() - 1, 0) // 10, len(_UNITS) - 1)
    return f"{number / 1024**power:.1f} {_UNITS[power]}" if power else f"{number} B"
