"""A plan as a document: everything needed to carry it out, and nothing believed on the way back.

Format 2.1. Minor versions only add, so a reader takes any 2.x; `sha256` is over all the rest, so that
a document edited by hand or cut short is not taken for the plan that somebody read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mesh import limits
from mesh.errors import MeshError, PlanError
from mesh.plan.plan import Plan
from mesh.plan.removals import Undeclared
from mesh.plan.scope import Scope, product_of
from mesh.plan.steps import step_arguments, step_of
from mesh.schema.strict_json import JsonProblem, read_json

FORMAT_VERSION = "2.1"
_DEPTH = 16


def document_of(plan: Plan) -> dict[str, Any]:
    """The document of a plan; `plan_of` makes the same plan of it."""
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "base": plan.base,
        "declaration": plan.declaration,
        "changes": len(plan.changes) - len(plan.blocked),
        "blocked": [{"subject": b.subject, "what": b.what, "why": b.why, "fix": b.fix} for b in plan.blocked],
        "risks": [{"kind": r.kind, "name": r.name, "why": list(r.why)} for r in plan.risks],
        "kept": [{"kind": k.kind, "name": k.name, "detail": k.detail} for k in plan.kept],
        "notes": list(plan.notes),
        "scope": plan.scope.to_json(),
        "steps": [
            {
                "verb": change.verb,
                "mark": change.mark,
                "subject": change.subject,
                "product": product_of(change.subject),
                "detail": change.detail,
                "notes": list(change.notes),
                "arguments": step_arguments(change),
            }
            for change in plan.changes
        ],
    }
    return {**document, "sha256": _digest(document)}


def plan_of(text: str, where: str = "plan.json") -> Plan:
    """The plan of a document.

    Raises PlanError: MESH-P020 when it is no JSON or too large, MESH-P021 for a format of another time,
    MESH-P022 when it was changed since it was saved, MESH-P023 when its shape is not a plan's.
    """
    document = _read(text, where)
    version = document.get("format_version")
    if not isinstance(version, str) or version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise PlanError(
            f"this plan has format {str(version)[:20]!r}, and this mesh carries out {FORMAT_VERSION}",
            code="MESH-P021",
            where=where,
            why="it was saved by another version of mesh",
            fix="mesh plan -o plan.json",
        )
    content = {key: value for key, value in document.items() if key != "sha256"}
    if document.get("sha256") != _digest(content):
        raise PlanError(
            "this plan was changed since it was saved",
            code="MESH-P022",
            where=where,
            why="its sha256 is not that of its content: what was reviewed is not what would be done",
            fix="mesh plan -o plan.json",
        )
    try:
        return _plan(content)
    except (KeyError, TypeError, ValueError, MeshError) as error:
        raise PlanError(
            "this is not a plan",
            code="MESH-P023",
            where=where,
            why=f"{type(error).__name__}: {error}",
            fix="mesh plan -o plan.json",
        ) from error


def _read(text: str, where: str) -> dict[str, Any]:
    try:
        document = read_json(text, max_bytes=limits.PLAN_BYTES, max_depth=_DEPTH)
        if isinstance(document, dict):
            return document
        why = "it is not a JSON object"
    except JsonProblem as problem:
        why = str(problem)
    raise not_saved(where, why)


def not_saved(where: str, why: str) -> PlanError:
    """The one message for what cannot be read as a saved plan at all."""
    return PlanError(
        "this file is not a saved plan", code="MESH-P020", where=where, why=why, fix="mesh plan -o plan.json"
    )


def _plan(content: Mapping[str, Any]) -> Plan:
    return Plan(
        changes=tuple(
            step_of(_text(step, "verb"), _text(step, "subject"), step["arguments"])
            for step in content["steps"]
        ),
        base=_text(content, "base"),
        scope=Scope(**{kind: frozenset(_texts(names)) for kind, names in content["scope"].items()}),
        declaration=_text(content, "declaration"),
        kept=tuple(Undeclared(row["kind"], _text(row, "name"), row["detail"]) for row in content["kept"]),
        notes=tuple(_texts(content["notes"])),
    )


def _text(row: Mapping[str, Any], key: str) -> str:
    if not isinstance(row[key], str):
        raise TypeError(f"{key} is not text")
    return str(row[key])


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("a list of names holds something else")
    return values


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
