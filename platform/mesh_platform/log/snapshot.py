"""A snapshot file: what a log had led to at one offset, as JSON lines. A cache: a wrong one is ignored.

First line: the `Mark` (which log, how far, which release). Then one part of a view a line. Last line: the
digest of all before it. A file is complete under its name or not there: it is written aside first.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

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
            out.write(_seal(digest) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def read_snapshot(path: Path, take_mark: Callable[[Mark], None]) -> Iterator[tuple[str, Any]]:
    """Hand over the mark, then the parts, while the file is read once.

    Raises Unusable, OSError: at the end too, so what was made of the parts counts only after the last.
    """
    with path.open("rb") as file:
        digest = hashlib.sha256()
        first, line = file.readline(), file.readline()
        take_mark(_mark(first))
        digest.update(first)
        for following in file:
            digest.update(line)
            yield _part(line)
            line = following
        if line.rstrip() != _seal(digest):
            raise Unusable("it is damaged")


def _part(line: bytes) -> tuple[str, Any]:
    try:
        view, part = json.loads(line)
    except (ValueError, TypeError) as error:
        raise Unusable("it is damaged") from error
    return view, part


def _mark(line: bytes) -> Mark:
    try:
        header = json.loads(line)
        if header.pop("format") != FORMAT:
            raise Unusable("it is of another format")
        return Mark(**header)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unusable("it is damaged") from error


def _seal(digest: hashlib._Hash) -> bytes:
    return json.dumps({"sha256": digest.hexdigest()}).encode()


def _lines(mark: Mark, parts: Iterable[tuple[str, Any]]) -> Iterator[bytes]:
    yield _line({"format": FORMAT, **asdict(mark)})
    for part in parts:
        yield _line(part)


def _line(value: object) -> bytes:
    return (
        json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"
    )
