"""What the platform holds at the end, as it tells it itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mesh_platform.chaos.history import Recorder
from tests.faults.registry.client import Client
from tests.faults.registry.schemas import key

_PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Held:
    """One version as it is held."""

    id: int
    v: str
    deleted: bool = False


@dataclass(frozen=True)
class Final:
    """One reading of one process; `whole` is everything it tells, to be compared with other readings."""

    versions: Mapping[tuple[str, int], Held] = field(default_factory=dict)
    ids: Mapping[int, str] = field(default_factory=dict)  #: of the ids asked for, what each stands for
    approved: frozenset[int] = frozenset()  #: the numbers of approved proposals
    whole: Any = None


def read_final(ports: list[int], token: str, ids: Iterable[int], folder: Path) -> list[Final]:
    """A reading of every process, when they agree; they have some seconds to come to it."""
    wanted, deadline = sorted(set(ids)), time.monotonic() + _PATIENCE_SECONDS
    with Recorder(folder / "final.log", "final") as recorder:
        client = Client(ports, token, recorder, threading.Event())
        while True:
            found = [_read(client, node, wanted) for node in range(len(ports))]
            if all(final.whole == found[0].whole for final in found) or time.monotonic() > deadline:
                break
        client.close()
    return found


def _read(client: Client, node: int, ids: list[int]) -> Final:
    def tell(path: str) -> Any:
        told = client.ask("GET", path, node=node)
        return told.body if told.outcome == "ok" else {"refused": told.status}

    schemas = tell("/registry/schemas?deleted=true&subjectPrefix=:*:")
    proposals = tell("/api/v1/proposals")
    by_id = {schema_id: tell(f"/registry/schemas/ids/{schema_id}") for schema_id in ids}
    return Final(
        {
            (held["subject"], held["version"]): Held(
                held["id"], key(held["schema"]), bool(held.get("deleted"))
            )
            for held in schemas
        },
        {schema_id: key(held["schema"]) for schema_id, held in by_id.items() if "schema" in held},
        frozenset(each["number"] for each in proposals if each["status"] == "approved"),
        {
            "schemas": schemas,
            "ids": by_id,
            "config": tell("/registry/config"),
            "levels": tell("/registry/mesh/levels"),
            "contracts": tell("/api/v1/contracts"),
            "proposals": proposals,
        },
    )
