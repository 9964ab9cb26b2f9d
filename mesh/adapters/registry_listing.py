"""Every live schema version of a registry in a few requests, where it lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh.adapters.registry_answers import NOT_SERVED, Requests, accept, understood

PAGE = 500
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """One version as a listing shows it."""

    subject: str
    version: int
    schema_id: int
    body: Mapping[str, Any]


def listed_versions(http: Requests, query: str = "") -> list[ListedVersion] | None:
    """All versions that the registry lists; None when it does not list. `query` adds parameters."""
    found: list[ListedVersion] = []
    first: ListedVersion | None = None
    for offset in range(0, _MOST, PAGE):
        status, rows = http.request("GET", f"/schemas?offset={offset}&limit={PAGE}{query}")
        if status in NOT_SERVED and not found:
            return None
        accept(status, rows, "schemas")
        with understood(http):
            page = [_row(row) for row in rows]
        # Some registries know no pages and answer everything every time.
        if not page or page[0] == first:
            break
        first = first or page[0]
        found += page
        if len(page) < PAGE:
            break
    return found


def _row(row: Mapping[str, Any]) -> ListedVersion:
    return ListedVersion(str(row["subject"]), int(row["version"]), int(row["id"]), row)
