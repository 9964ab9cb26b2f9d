"""A snapshot file: what a log had led to at one offset. A cache: a wrong one is ignored.

First line: the `Mark` (which log, how far, which release). Then part by part of the views, each a line of
JSON and a line of raw texts. Last line: the digest of all before it. JSON, never code. A file is complete
under its name or not there: it is written aside first.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
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


@dataclass(frozen=True, slots=True)
class Part:
    """A part of one view: JSON, and texts that stand beside it as they are.

    Schemas are texts full of quotes: to escape them inside JSON, and back, would take most of a start.
    """

    view: str
    content: Any
    texts: Sequence[str] = ()


def write_snapshot(path: Path, mark: Mark, parts: Iterable[Part]) -> None:
    """Replace the snapshot under `path`, all at once; raises OSError and leaves the old one there."""
    handle, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            digest = hashlib.sha256()
            for data in _written(mark, parts):
                digest.update(data)
                out.write(data)
            out.write(_seal(digest))
            out.flush()
            os.fsync(out.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def read_snapshot(path: Path, take_mark: Callable[[Mark], None]) -> Iterator[Part]:
    """Hand over the mark, then the parts, while the file is read once.

    Raises Unusable, OSError: at the end too, so what was made of the parts counts only after the last.
    """
    with path.open("rb") as file:
        first = file.readline()
        take_mark(_mark(first))
        digest = hashlib.sha256(first)
        while (line := file.readline()).startswith(b"["):
            try:
                view, content, sizes = json.loads(line)
                texts = file.read(sum(sizes) + 1)
                yield Part(view, content, _cut(texts, sizes))
            except (ValueError, TypeError) as error:
                raise Unusable("it is damaged") from error
            digest.update(line + texts)
        if line != _seal(digest) or file.read(1):
            raise Unusable("it is damaged")


def _cut(texts: bytes, sizes: Sequence[int]) -> list[str]:
    ends = list(accumulate(sizes, initial=0))
    return [texts[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise(ends)]


def _mark(line: bytes) -> Mark:
    try:
        header = json.loads(line)
        if header.pop("format") != FORMAT:
            raise Unusable("it is of another format")
        return Mark(**header)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unusable("it is damaged") from error


def _written(mark: Mark, parts: Iterable[Part]) -> Iterator[bytes]:
    yield _line({"format": FORMAT, **asdict(mark)})
    for part in parts:
        texts = [text.encode("utf-8", "surrogatepass") for text in part.texts]
        yield _line([part.view, part.content, [len(text) for text in texts]])
        yield b"".join(texts) + b"\n"


def _seal(digest: hashlib._Hash) -> bytes:
    return _line({"sha256": digest.hexdigest()})


def _line(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass") + b"\n"
