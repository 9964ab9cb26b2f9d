"""Files that survive: forced to the disk, replaced whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def sync_file(path: Path) -> None:
    """Force a file to the disk, if it is still there: retention may be faster. Raises OSError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


#: A folder's entries are forced to the disk as a file's bytes are; without it a new file may be gone.
sync_folder = sync_file


def replace_file(path: Path, content: bytes) -> None:
    """Write the whole file or leave the old one. Raises OSError."""
    scratch = path.with_name(path.name + ".new")
    with scratch.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
