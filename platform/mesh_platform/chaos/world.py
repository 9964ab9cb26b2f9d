"""World: the products of a campaign, named anew for each, and what their events are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from mesh.connection import Mesh
from mesh.declaration import SourceFile, declare

ACCOUNTS = 64
PARTITIONS = 6
_RUN = "RUN"
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_SUFFIX = ".yaml"


def orders(run: str) -> str:
    """The product that publishers publish."""
    return f"chaos.orders-{run}"


def settlements(run: str) -> str:
    """The product that the pipeline derives: one event per order."""
    return f"chaos.settlements-{run}"


def sources(run: str) -> list[SourceFile]:
    """The declarations of one campaign."""
    folder = files("mesh_platform.chaos") / "declared"
    found = sorted((file.name, file.read_text()) for file in folder.iterdir() if file.name.endswith(_SUFFIX))
    return [SourceFile(f"chaos/{name}", text.replace(_RUN, run).encode()) for name, text in found]


def apply_to(mesh: Mesh, run: str) -> None:
    """Make the topics, schemas, contracts and products of one campaign."""
    from mesh.apply import apply
    from mesh.plan import make_plan

    declared = declare(sources(run)).require()
    world = mesh.world()
    for _ in apply(make_plan(declared, world.actual(declared)), world):
        pass


def order(publisher: str, number: int) -> dict[str, Any]:
    """The event of this number: the same whenever it is made."""
    return {
        "id": f"{publisher}-{number}",
        "account": f"a{number * 7919 % ACCOUNTS}",
        "amount": number,
        "at": _BEGIN + timedelta(seconds=number),
    }


def numbers(values: Iterable[str]) -> list[int]:
    """The numbers of events."""
    return [int(value.rpartition("-")[2]) for value in values]
