"""A snapshot file: what a log had led to at one offset, as JSON lines. A cache: what is wrong with it is ignored.

First line: the header (`Mark`: which log, how far, made by which release). Then one part of a view a line. Last
line: the digest of all before it. A file is complete under its name or not there: it is written aside first.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

FORMAT: Final = "mesh-snapshot 1"


@dataclass(frozen=True, slots=True)
class Mark:
    """Which log a snapshot is of, and how far it goes.

    The log must hold records `first` to `offset`, and these must lead from the chain hash `before` to
    `chain`: a log that was replaced, cut off or changed there is another log.
    """

    release: str
    first: int
    before: str
    offset: int
    chain: str


class Unusable(Exception):
    """Why a snapshot is not used; never seen outside the log's start and its verification."""


def write_snapshot(path: Path, mark: Mark, parts: Iterable[tuple[str, Any]]) -> None:
    """Replace the snapshot under `path`, all at once; raises OSError and leaves the old one there."""
    handle, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            digest = hashlib.sha256()
            for line in _lines(mark, parts):
                digest.update(line)
                out.write(line)
            out.write(json.dumps({"sha256": digest.hexdigest()}).encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def read_mark(path: Path) -> Mark:
    """The header of a snapshot; raises Unusable, FileNotFoundError."""
    with path.open("rb") as file:
        return _mark(file)


def read_snapshot(path: Path) -> Iterator[tuple[str, Any]]:
    """The parts of a snapshot that is whole; raises Unusable before the first part when it is not."""
    data = path.read_bytes()
    body, _, last = data.rstrip(b"\n").rpartition(b"\n")
    body += b"\n"
    if json.dumps({"sha256": hashlib.sha256(body).hexdigest()}).encode() != last:
        raise Unusable("it is damaged")
    lines = iter(body.splitlines())
    next(lines)
    for line in lines:
        view, part = json.loads(line)
        yield view, part


def _mark(file: IO[bytes]) -> Mark:
    try:
        header = json.loads(file.readline(1 << 16))
        if header.pop("format") != FORMAT:
            raise Unusable("it is of another format")
        return Mark(**header)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unusable("it is damaged") from error


def _lines(mark: Mark, parts: Iterable[tuple[str, Any]]) -> Iterator[bytes]:
    yield _line({"format": FORMAT, **asdict(mark)})
    for part in parts:
        yield _line(part)


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
