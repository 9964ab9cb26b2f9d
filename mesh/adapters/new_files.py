"""Making files that are not there yet: all of them or none, and never over somebody's work."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mesh.errors import UsageError
from mesh.templates import NewFile


def make(files: Iterable[NewFile], root: Path, *, over: Iterable[str] = ()) -> list[str]:
    """Write the files under `root` and answer the paths made; shared ones that are there stay as they are.

    `over` names paths that may be written over. Raises UsageError for others that are there already,
    before anything is written.
    """
    wanted, allowed = tuple(files), set(over)
    there = [f.path for f in wanted if not f.shared and f.path not in allowed and (root / f.path).exists()]
    if there:
        raise UsageError(
            f"{there[0]} is there already" + (f", and {len(there) - 1} more" if len(there) > 1 else ""),
            code="MESH-U137",
            where=str(root / there[0]),
            why="what somebody has written is not written over",
            fix="choose another name, or add --force to begin anew",
        )
    made = []
    for file in wanted:
        path = root / file.path
        if file.shared and path.exists():
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written",
                code="MESH-U134",
                where=str(path),
                why=error.strerror or str(error),
                fix="make the folder writable, or work in another one",
            ) from error
        made.append(file.path)
    return made
