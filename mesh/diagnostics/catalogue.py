"""What every code of a declaration means: kept as YAML beside this module, read when it is asked for.

A file holds one family. An entry is added in a few lines; `bad` and `good` are patches onto a sample
that holds (`sample.yaml`): either edits, `- {replace: old text, with: new text}`, or a whole text.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from mesh.errors import Severity, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One code, explained."""

    code: str
    name: str  #: a slug
    severity: Severity
    summary: str  #: one sentence
    why: str
    bad: str  #: YAML that breaks it, as a person would write it
    good: str  #: the same, mended
    fixable: bool  #: whether `mesh check --fix` can mend it


@cache
def all_rules() -> dict[str, Rule]:
    """Every rule by its code, in the order of codes."""
    entries: dict[str, Any] = {}
    for family in families():
        entries |= family
    return {code: _rule(code, entries[code]) for code in sorted(entries)}


def families() -> list[dict[str, Any]]:
    """The entries as they stand in the files, a mapping for each file."""
    from mesh.contract.yaml import read

    folder = files("mesh.diagnostics") / "rules"
    resources = [file for file in folder.iterdir() if file.name.endswith(".yaml")]
    return [read(file.read_bytes(), file.name).data for file in resources]


def rule_of(code: str) -> Rule | None:
    """The rule of a code; None for a code that is no rule of declarations."""
    return all_rules().get(code)


def require_rule(wanted: str) -> Rule:
    """The rule of a code or a name, however it is spelled; raises UsageError (MESH-U100)."""
    rules = all_rules()
    asked = wanted.strip()
    for rule in rules.values():
        if asked.upper() in (rule.code, rule.code.removeprefix("MESH-")) or asked.lower() == rule.name:
            return rule
    names = [*rules, *(rule.name for rule in rules.values())]
    near = difflib.get_close_matches(asked.upper(), names, n=1) or difflib.get_close_matches(
        asked, names, n=1
    )
    raise UsageError(
        f"there is no rule {wanted!r}" + (f"; did you mean {near[0]}?" if near else ""),
        code="MESH-U100",
        why="a rule is named by its code, such as MESH-C022, or by its name, such as unknown-key",
        fix="mesh rule",
    )


def _rule(code: str, entry: dict[str, Any]) -> Rule:
    return Rule(
        code=code,
        name=entry["name"],
        severity=entry.get("severity", "error"),
        summary=" ".join(entry["summary"].split()),
        why=" ".join(entry["why"].split()),
        bad=entry.get("bad", ""),
        good=entry.get("good", ""),
        fixable=entry.get("fixable", False),
    )
