"""How the command line speaks: data on stdout, everything else on stderr, colour only for people."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from mesh.errors import Finding, MeshError, UsageError

_CODES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "bold": "1", "dim": "2"}


def coloured(stream: TextIO) -> bool:
    """Colour on a terminal only, never with NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """`text` in a colour when the stream shows colours."""
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if coloured(stream or sys.stdout) else text


def note(text: str) -> None:
    """A line for people; never data."""
    print(text, file=sys.stderr, flush=True)


def data(value: object) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def tell_error(error: MeshError) -> int:
    """Print an error with all it carries; answers the exit code."""
    if error.findings:
        tell_findings(error.findings, sys.stderr)
    else:
        where = f"{error.where}: " if error.where else ""
        note(f"{where}{paint(error.error_code, 'red', sys.stderr)} {error.what}")
        if error.why:
            note(f"  why:  {error.why}")
        if error.fix:
            note(f"  next: {error.fix}")
    return error.exit_code


def tell_findings(findings: Sequence[Finding], stream: TextIO) -> None:
    """One block per finding: place, code, what, why, next."""
    for finding in findings:
        colour = "red" if finding.severity == "error" else "yellow"
        head = f"{finding.where}: {paint(finding.code, colour, stream)} {finding.message}"
        print(head, file=stream)
        if finding.why:
            print(f"  why:  {finding.why}", file=stream)
        if finding.fix:
            print(f"  next: {finding.fix}", file=stream)


def tell_findings_briefly(findings: Sequence[Finding]) -> None:
    """One line per finding on stderr: what somebody may want to know, with the data on stdout."""
    for finding in findings:
        note(f"{finding.where}: {paint(finding.code, 'yellow', sys.stderr)} {finding.message}")


def deliver(text: str, file: Path | None) -> None:
    """Text on stdout, or as a new file; raises UsageError (MESH-U118) rather than overwrite one."""
    if file is None:
        sys.stdout.write(text)
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as handle:
            handle.write(text)
    except FileExistsError:
        raise UsageError(
            f"{file} is there already",
            code="MESH-U118",
            where=str(file),
            why="what you wrote is not overwritten",
            fix=f"rm {file}, or choose another name",
        ) from None
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written",
            code="MESH-U118",
            where=str(file),
            why=error.strerror or str(error),
            fix="choose another place",
        ) from error
    note(f"written: {file}")


def finding_rows(findings: Sequence[Finding]) -> list[dict[str, object]]:
    """Findings for machines."""
    return [{**asdict(f), "where": str(f.where)} for f in findings]


def table(rows: Sequence[Sequence[str]], head: Sequence[str]) -> None:
    """Aligned columns on stdout."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for number, row in enumerate([head, *rows]):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        print(paint(line, "dim") if number == 0 else line)


@contextmanager
def timed(label: str) -> Iterator[None]:
    """Say on stderr how long something took."""
    began = time.perf_counter()
    yield
    note(paint(f"{label} in {time.perf_counter() - began:.2f} s", "dim", sys.stderr))
