"""Names that the processes of one machine share out: one living process holds each, however it ends."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path


@contextmanager
def slot(folder: Path, of: str) -> Iterator[str]:
    """A name of `of` on this machine that no other process has: the first free one, so that it comes again.

    The system lets go of it when the process ends, by kill -9 too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in count():
        with (folder / f"{of}.{number}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield f"{of}.{socket.gethostname()}.{number}"
            return
