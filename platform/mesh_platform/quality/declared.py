"""The platform's own product, declared like any other: two files, one plan, one apply."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from mesh.apply import apply
from mesh.declaration import Declaration, SourceFile, declare
from mesh.errors import PlanError
from mesh.plan import Consent, make_plan

if TYPE_CHECKING:
    from mesh.connection import Mesh

FILES = ("quality-results.v1.odcs.yaml", "quality-results.odps.yaml")
_MOVED = "MESH-P011"
_TRIES = 5
#: A topic of results outlives the state folder of a platform: a new one goes on with it.
OWN = Consent(kinds=["adopt"])


def declaration() -> Declaration:
    """What `mesh.quality-results` promises. Raises DeclarationError."""
    folder = files("mesh_platform.quality") / "declarations"
    shown = "platform/mesh_platform/quality/declarations"
    return declare(SourceFile(f"{shown}/{name}", (folder / name).read_bytes()) for name in FILES).require()


def ensure_declared(mesh: Mesh) -> None:
    """Plan and apply just these two files; nothing changes when all is there. Raises PlanError."""
    desired, world = declaration(), mesh.world()
    for left in reversed(range(_TRIES)):
        try:
            for _ in apply(make_plan(desired, world.actual(desired)), world, OWN):
                pass
            return
        except PlanError as error:
            # Somebody else may be applying the same two files: look again.
            if error.error_code != _MOVED or not left:
                raise
