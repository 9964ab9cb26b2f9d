"""Saved plans on disk: written whole or not at all, read no further than a plan may be long."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from mesh import limits
from mesh.errors import UsageError
from mesh.plan.plan import Plan
from mesh.plan.saved import document_of, not_saved, plan_of


def save(path: Path, plan: Plan) -> None:
    """Write a plan; raises UsageError MESH-U126 where nothing can be written."""
    text = json.dumps(document_of(plan), indent=2, ensure_ascii=False) + "\n"
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(beside).replace(path)
    except OSError as error:
        raise UsageError(
            f"the plan cannot be saved as {path}",
            code="MESH-U126",
            where=str(path),
            why=error.strerror or str(error),
            fix="mesh plan -o plan.json",
        ) from error


def load(path: Path) -> Plan:
    """The plan of a file; raises PlanError as `plan_of`, or MESH-P020 when it cannot be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(limits.PLAN_BYTES + 1)
        return plan_of(raw.decode(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise not_saved(str(path), getattr(error, "strerror", None) or str(error)) from error
