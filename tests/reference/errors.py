"""`reference/errors.md`: every error code of the source, by kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tests.reference.source import Told, errors

#: letter: (heading, what ends in it, exit code)
KINDS: Mapping[str, tuple[str, str, str]] = {
    "U": ("Usage", "`UsageError`: the command, call or setting itself is wrong.", "2"),
    "C": ("Contracts and products", "`DeclarationError`: a declaration does not hold.", "1"),
    "A": (
        "Schemas",
        "`SchemaError`, `IncompatibleSchema`: a schema is invalid, unsafe or breaks readers.",
        "1",
    ),
    "E": ("Events", "`EventError`: an event does not fit its contract.", "1"),
    "P": ("Plans and the broker's start", "`PlanError`: something cannot be made or carried out.", "1"),
    "G": ("Governance", "`ReviewError`: a proposal or a decision is refused.", "1"),
    "R": (
        "Schema registry",
        "`RegistryError`: the registry refused; Confluent's error code stands beside it.",
        "1",
    ),
    "Q": ("Queries", "`QueryError`: a question about products that cannot be answered.", "1"),
    "K": ("Kafka", "The broker answered, and said no.", "1"),
    "S": ("The platform's answers", "Refusals of the platform's API and of its control log.", "1"),
    "X": ("Unreachable", "`UnreachableError`: a broker, registry, platform or program does not answer.", "4"),
    "M": ("Everything else", "`MeshError`: what fits nowhere else.", "1, 2 for M999, 70 for M071"),
}


def errors_page() -> str:
    """`reference/errors.md`."""
    lines = ["# Errors\n"]
    lines.append(
        "Every error has a code, says what happened, where, why, and the next command. The letter tells the\n"
        "kind; `…` stands for what is filled in. A command that fails ends with the exit code of the kind;\n"
        "all exit codes are in [cli.md](cli.md). In Python every error is a `mesh.MeshError`: `error_code`,\n"
        "`what`, `where`, `why` and `fix` are its attributes.\n"
    )
    found = errors()
    for letter, (heading, meaning, exit_code) in KINDS.items():
        codes = sorted(code for code in found if code[5] == letter)
        lines.append(f"## {heading}: MESH-{letter}\n")
        lines.append(f"{meaning} Exit code {exit_code}.\n")
        lines.append("| code | what it says | why | next |\n| --- | --- | --- | --- |")
        for code in codes:
            lines.append(_row(code, found[code]))
        lines.append("")
    return "\n".join(lines)


def _row(code: str, told: list[Told]) -> str:
    columns = [[t.what for t in told], [t.why for t in told], [t.next for t in told]]
    return "| " + " | ".join([f"`{code}`", *(_cell(column) for column in columns)]) + " |"


def _cell(texts: Iterable[str]) -> str:
    kept = dict.fromkeys(re.sub(r"\s+", " ", text).strip() for text in texts if text)
    return "<br>".join(text.replace("|", "\\|").replace("<", "&lt;") for text in kept)
