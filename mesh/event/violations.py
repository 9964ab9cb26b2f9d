"""An event that was published although it breaks rules says so itself: header `mesh.violations`.

Its value is a JSON array of the names of the rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

VIOLATIONS: Final = "mesh.violations"


def violation_header(rules: Iterable[str]) -> tuple[str, bytes]:
    """The header that names the rules an event breaks."""
    return VIOLATIONS, json.dumps(list(rules), ensure_ascii=False).encode()


def violations(headers: Sequence[tuple[str, bytes | None]] | None) -> frozenset[str]:
    """The rules that an event says it breaks; none where the header is missing or unreadable."""
    for name, raw in headers or ():
        if name == VIOLATIONS and raw is not None:
            try:
                said = json.loads(raw)
            except ValueError:
                return frozenset()
            return frozenset(map(str, said)) if isinstance(said, list) else frozenset()
    return frozenset()
