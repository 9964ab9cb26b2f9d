"""`reference/broker.md`: what the embedded broker tells of itself, from its tables and its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_platform.broker.families import FAMILIES, PREFIX
from mesh_platform.broker.journal import EVENTS
from tests.reference.source import ROOT

BROKER = ROOT / "platform" / "mesh_platform" / "broker"


def broker_page() -> str:
    """`reference/broker.md`."""
    lines = ["# What the embedded broker tells\n", "## The journal\n"]
    lines.append(
        "One JSON object per line on standard error; on a terminal the same as plain text. Every line has\n"
        "`time` (seconds since 1970), `level` and `event`. A line with `left_out` says that so many of its\n"
        "kind were not told, because more than ten came in a second.\n"
    )
    lines.append("| event | level | it means | fields |\n| --- | --- | --- | --- |")
    fields = dict(noted())
    for event, (level, meaning) in sorted(EVENTS.items()):
        named = ", ".join(f"`{name}`" for name in fields[event])
        lines.append(f"| `{event}` | {level} | {meaning} | {named} |")
    lines.append("\n## Metrics\n")
    lines.append(
        "Prometheus' text format on `http://127.0.0.1:<metrics port>/metrics`, with the process' own\n"
        "metrics (`process_…`) beside them.\n"
    )
    lines.append("| metric | kind | label | it tells |\n| --- | --- | --- | --- |")
    for name, (kind, label, about) in FAMILIES.items():
        shown = f"`{PREFIX}{name}{'_total' if kind == 'counter' else ''}`"
        lines.append(f"| {shown} | {kind} | {f'`{label}`' if label else ''} | {about} |")
    return "\n".join(lines) + "\n"


def noted() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every event that the source notes, with its fields."""
    found: dict[str, dict[str, None]] = {}
    for file in sorted(BROKER.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="journal"), attr="note"),
                    args=[ast.Constant(value=str() as event)],
                    keywords=keywords,
                ):
                    found.setdefault(event, {}).update(dict.fromkeys(k.arg or "" for k in keywords))
    yield from ((event, tuple(fields)) for event, fields in sorted(found.items()))
