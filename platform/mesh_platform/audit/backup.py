"""A backup: the control log as JSON lines that any log can be restored from, and that proves itself whole.

First line: what it is. Then one record a line with its chain hash, in log order, as it was hashed. Last line:
how many records there are and the chain hash they lead to. A prefix of the log, whoever writes meanwhile.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from mesh.errors import MeshError, UsageError
from mesh_platform.audit.report import refuse_tampered
from mesh_platform.audit.verification import verify
from mesh_platform.log.entry import Entry, EntrySource, body_text
from mesh_platform.log.record import GENESIS

FORMAT: Final = "mesh-backup 1"
_TEXTS: Final = ("time", "actor", "kind", "command", "chain")
#: A record is no longer than what the platform takes in, many times over.
_LONGEST: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """What a backup holds."""

    file: str
    records: int
    chain: str


def write_backup(source: EntrySource, file: Path) -> Kept:
    """All that the log holds now, as a new file that is complete or not there.

    Raises UsageError MESH-U150 when the file exists, MESH-U154 when it cannot be written; MeshError MESH-S030
    when the log is not what was written.
    """
    if file.exists():
        raise _exists(file)
    try:
        handle, draft = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                kept = _written(source, out, file)
                out.flush()
                os.fsync(out.fileno())
            os.link(draft, file)  # unlike a rename it never replaces a file that came meanwhile
        finally:
            Path(draft).unlink(missing_ok=True)
    except FileExistsError:
        raise _exists(file) from None
    except OSError as error:
        raise UsageError(
            "the backup cannot be written",
            code="MESH-U154",
            where=str(file),
            why=error.strerror or str(error),
            fix="choose a place that exists and has room, then: mesh backup",
        ) from error
    return kept


def verified_backup(file: Path) -> Kept:
    """What a backup holds, once all of it has been read and hashed; raises as `read_backup` does."""
    records, chain = 0, GENESIS
    for entry in read_backup(file):
        records, chain = records + 1, entry.after(chain)
    return Kept(str(file), records, chain)


def read_backup(file: Path) -> Iterator[Entry]:
    """The records of a backup, in order.

    Raises MeshError (MESH-S032) at the first line that is not what was written, or at the end when some is
    missing; UsageError (MESH-U154) when the file cannot be read.
    """
    try:
        with file.open("rb") as lines:
            yield from _read(file, lines)
    except OSError as error:
        raise UsageError(
            "the backup cannot be read",
            code="MESH-U154",
            where=str(file),
            why=error.strerror or str(error),
            fix="name a file that mesh backup has written",
        ) from error


def _written(source: EntrySource, out: IO[bytes], file: Path) -> Kept:
    chain = GENESIS

    def written() -> Iterator[Entry]:
        nonlocal chain
        for entry in source.entries():
            yield entry  # judged first
            chain = entry.after(chain)
            out.write(_line(entry, chain))

    out.write(json.dumps({"format": FORMAT}).encode() + b"\n")
    verified = verify(written())
    refuse_tampered(verified, source.where)
    out.write(json.dumps({"records": verified.records, "chain": verified.head}).encode() + b"\n")
    return Kept(str(file), verified.records, verified.head)


def _line(entry: Entry, chain: str) -> bytes:
    """The body stands there as it was hashed, so that nothing depends on how JSON is spelled."""
    head = {name: getattr(entry, name) for name in ("offset", "time", "actor", "kind", "command")}
    return f'{body_text(head)[:-1]},"chain":"{chain}","body":{entry.body}}}\n'.encode(
        "utf-8", "surrogatepass"
    )


def _read(file: Path, lines: IO[bytes]) -> Iterator[Entry]:
    if _object(file, 1, lines.readline(_LONGEST)).get("format") != FORMAT:
        raise _damaged(file, 1, "it is no backup of a format this release reads")
    chain, number = GENESIS, 1
    while line := lines.readline(_LONGEST):
        number += 1
        facts = _object(file, number, line)
        if "records" in facts:
            if facts != {"records": number - 2, "chain": chain} or lines.readline():
                raise _damaged(file, number, "records are missing, or do not belong there")
            return
        entry = _entry(file, number, facts)
        chain = entry.after(chain)
        if entry.offset != number - 2 or facts["chain"] != chain:
            raise _damaged(file, number, "the record does not have the hash beside it")
        yield entry
    raise _damaged(file, number, "the end is missing")


def _entry(file: Path, number: int, facts: dict[str, Any]) -> Entry:
    try:
        time, actor, kind, command, chain = (facts[name] for name in _TEXTS)
        body = facts["body"]
    except KeyError as error:
        raise _damaged(file, number, f"a record without {error}") from error
    if not isinstance(body, dict) or not all(isinstance(facts[name], str) for name in _TEXTS):
        raise _damaged(file, number, "a member of another type")
    return Entry(facts.get("offset", -1), time, actor, kind, body_text(body), command, chain)


def _object(file: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _damaged(file, number, f"the line is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise _damaged(file, number, "the line is no JSON object")
    return found


def _damaged(file: Path, line: int, why: str) -> MeshError:
    return MeshError(
        "the backup is damaged",
        code="MESH-S032",
        where=f"{file}:{line}",
        why=why,
        fix="restore from another backup; nothing was changed",
    )


def _exists(file: Path) -> UsageError:
    return UsageError(
        "the file exists already",
        code="MESH-U150",
        where=str(file),
        why="a backup never replaces another",
        fix=f"mesh backup {file.stem}-2{file.suffix}",
    )
